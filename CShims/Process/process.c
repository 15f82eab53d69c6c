#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef DRAY_COMMIT
#define DRAY_COMMIT "unknown"
#endif

const char *process_commit(void) { return DRAY_COMMIT; }

int process_guard_memory(void) {
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return -errno;
    return prctl(PR_SET_DUMPABLE, 0) == 0 ? 0 : -errno;
}

static void stop_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

int process_signals(void) {
    sigset_t set;
    stop_signals(&set);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -errno;
    int file = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return file >= 0 ? file : -errno;
}

int process_next_signal(int signals, int millis) {
    struct pollfd wait = {.fd = signals, .events = POLLIN};
    if (poll(&wait, 1, millis) <= 0) return 0;
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != sizeof info) return 0;
    return (int)info.ssi_signo;
}

enum { WORDS_MAX = 64 };

int process_spawn(char *words, int count, int output) {
    char *arguments[WORDS_MAX + 1] = {NULL};
    if (count < 1 || count > WORDS_MAX) return -E2BIG;
    for (int i = 0; i < count; i++) {
        arguments[i] = words;
        words += strlen(words) + 1;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child > 0 ? (int)child : -errno;
    sigset_t set;
    stop_signals(&set);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    // The parent may have died before the line above.
    if (getppid() != parent) _exit(127);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        _exit(127);
    execv(arguments[0], arguments);
    _exit(127);
}

int process_wait(int pid, int millis) {
    for (int waited = 0;; waited += 5) {
        int status = 0;
        pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended < 0 && errno != EINTR) return -errno;
        if (ended == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (waited >= millis) return -EAGAIN;
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
    }
}
