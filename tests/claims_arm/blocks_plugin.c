/* A plugin for qemu-user 7.2: how often each translated block was executed, and its instructions.
 *
 * Debian's packages contain neither plugins nor qemu-plugin.h, so the few functions used are
 * declared here, as version 1 of qemu's plugin interface has them (QEMU 7.2,
 * docs/devel/tcg-plugins.rst). Writes lines of: address, executions, instructions in hexadecimal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int op, void *, uint64_t);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
enum { ADD_U64 = 0 };

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

struct block {
  struct block *next;
  uint64_t address, executions;
  size_t count;
  uint32_t instructions[];
};

static struct block *blocks;
static const char *path;

/* A block may be translated again; its counts are added up by the reader. */
static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
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
  qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &block->executions, 1);
}

static void at_exit(plugin_id id, void *data) {
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

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info,
                                                               int argc, char **argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) return -1;
  path = strdup(argv[0] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
