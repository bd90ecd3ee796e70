// Tries what a program that was taken over would try, and says "NAME: refused" or "NAME: DONE" for each. What the
// service itself needs comes at the end and is to be done.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, int result) {
  if (result < 0) printf("%s: refused (%s)\n", what, strerror(errno));
  else printf("%s: DONE\n", what);
}

static int opens(const char *path, int flags) { return open(path, flags | O_CLOEXEC, 0666); }

int main(void) {
  struct timeval noon = {.tv_sec = 1700000000};
  struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE, .size = sizeof perf};
  union bpf_attr bpf = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  struct rlimit more = {1 << 20, 1 << 20};

  say("mount", mount("tmpfs", "/var/lib/restante", "tmpfs", 0, NULL));
  say("umount", umount2("/proc", MNT_DETACH));
  say("pivot_root", (int)syscall(SYS_pivot_root, ".", "."));
  say("chroot", chroot("/var"));
  say("ptrace", (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
  say("process_vm_readv", (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
  say("unshare user", unshare(CLONE_NEWUSER));
  say("unshare net", unshare(CLONE_NEWNET));
  say("setns", setns(opens("/proc/self/ns/mnt", O_RDONLY), 0));
  say("reboot", reboot(RB_AUTOBOOT));
  say("kexec", (int)syscall(SYS_kexec_load, 0, 0, NULL, 0));
  say("init_module", (int)syscall(SYS_init_module, NULL, 0, ""));
  say("swapon", swapon("/nothing", 0));
  say("settimeofday", settimeofday(&noon, NULL));
  say("sethostname", sethostname("x", 1));
  say("setuid", setuid(0));
  say("setgid", setgid(0));
  say("chown", chown("/var/lib/restante", 0, 0));
  say("suid", chmod("/var/lib/restante/attempt", 04755));
  say("setrlimit", setrlimit(RLIMIT_NOFILE, &more));
  say("setpriority", setpriority(PRIO_PROCESS, 0, -5));
  say("add_key", (int)syscall(SYS_add_key, "user", "x", "y", 1, KEY_SPEC_PROCESS_KEYRING));
  say("bpf", (int)syscall(SYS_bpf, BPF_MAP_CREATE, &bpf, sizeof bpf));
  say("perf_event_open", (int)syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
  say("io_uring_setup", (int)syscall(SYS_io_uring_setup, 1, NULL));
  say("userfaultfd", (int)syscall(SYS_userfaultfd, 0));
  say("personality", personality(ADDR_NO_RANDOMIZE));
  say("realtime", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}));
  say("write and execute", mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                               ? -1
                               : 0);
  say("socket of IPv4", socket(AF_INET, SOCK_STREAM, 0));
  say("socket of IPv6", socket(AF_INET6, SOCK_DGRAM, 0));
  say("netlink socket", socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
  say("raw socket", socket(AF_PACKET, SOCK_RAW, 0));
  say("write to /usr", opens("/usr/bin/attempt", O_WRONLY | O_CREAT));
  say("write to /etc", opens("/etc/restante/attempt", O_WRONLY | O_CREAT));
  say("write to /var", opens("/var/lib/attempt", O_WRONLY | O_CREAT));
  say("write to /run", opens("/run/attempt", O_WRONLY | O_CREAT));
  say("write to the kernel", opens("/proc/sys/kernel/hostname", O_WRONLY));
  say("write to cgroups", opens("/sys/fs/cgroup/cgroup.procs", O_WRONLY));
  say("passwords", opens("/etc/shadow", O_RDONLY));
  say("homes", opens("/root/.", O_RDONLY | O_DIRECTORY));
  say("kernel log", opens("/dev/kmsg", O_RDONLY));
  say("memory of others", opens("/proc/1/mem", O_RDONLY));
  say("processes of others", opens("/proc/1/cmdline", O_RDONLY));
  say("disk", mknod("/var/lib/restante/disk", S_IFBLK | 0600, 0x800));
  pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", ":", NULL);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  errno = EACCES;
  say("shell", status == 0 ? 0 : -1);

  printf("--\n");
  say("write to the state directory", opens("/var/lib/restante/attempt", O_WRONLY | O_CREAT));
  say("local socket", socket(AF_UNIX, SOCK_DGRAM, 0));
  return 0;
}
