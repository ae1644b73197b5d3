/* A plugin for qemu's user mode: how many instructions a program executed.
 *
 * Writes the number to the file that out= names. What it needs of qemu's plugin interface is declared here, as no
 * package ships qemu-plugin.h: these parts are the same in versions 1 (qemu 6 to 8) and 2 (from qemu 9); the
 * compiler is told which to claim. Interface: https://www.qemu.org/docs/master/devel/tcg-plugins.html
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum { CALLBACK_READS_NO_REGISTERS = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*call)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*call)(unsigned int, void *), int flags,
                                          void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*call)(plugin_id, void *), void *data);

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

static atomic_uint_fast64_t executed;
static const char *path;

static void run(unsigned int cpu, void *count) {
  (void)cpu;
  atomic_fetch_add_explicit(&executed, (uintptr_t)count, memory_order_relaxed);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
  (void)id;
  void *count = (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb);
  qemu_plugin_register_vcpu_tb_exec_cb(tb, run, CALLBACK_READS_NO_REGISTERS, count);
}

static void at_exit(plugin_id id, void *data) {
  (void)id;
  (void)data;
  FILE *file = fopen(path, "w");
  if (!file) abort();
  fprintf(file, "%" PRIuFAST64 "\n", atomic_load(&executed));
  fclose(file);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) return -1;
  path = strdup(argv[0] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
