/* A plugin for qemu-user 7.2: how often each translated block was executed, and its instructions.
 *
 * Writes lines of: address, executions, instructions in hexadecimal.
 */
#include <qemu-plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

struct block {
  struct block *next;
  uint64_t address, executions;
  size_t count;
  uint32_t instructions[];
};

static struct block *blocks;
static const char *path;

/* A block may be translated again; its counts are added up by the reader. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  size_t count = qemu_plugin_tb_n_insns(tb);
  struct block *block = calloc(1, sizeof *block + count * sizeof *block->instructions);
  if (!block) abort();
  block->address = qemu_plugin_tb_vaddr(tb);
  block->count = count;
  for (size_t i = 0; i < count; ++i) {
    memcpy(&block->instructions[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), 4);
  }
  block->next = blocks;
  blocks = block;
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->executions, 1);
}

static void at_exit(qemu_plugin_id_t id, void *data) {
  (void)id;
  (void)data;
  FILE *file = fopen(path, "w");
  if (!file) abort();
  for (struct block *block = blocks; block; block = block->next) {
    fprintf(file, "%" PRIx64 " %" PRIu64 " ", block->address, block->executions);
    for (size_t i = 0; i < block->count; ++i) fprintf(file, "%08" PRIx32, block->instructions[i]);
    fputc('\n', file);
  }
  fclose(file);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) return -1;
  path = strdup(argv[0] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
