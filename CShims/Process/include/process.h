#pragma once
#include <stdint.h>

// What Swift cannot spell about processes: variadic calls, and code between fork and exec.
// Functions return >= 0, or -errno.

// The commit this build was made from: "unknown" outside a checkout, `+` at the end with changes.
const char *_Nonnull process_commit(void);

// No core dumps and no debugger of another user: keys live in this memory.
int process_guard_memory(void);

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and those it starts; they come out of the
// descriptor instead. Ignores SIGPIPE.
int process_signals(void);

// The next signal of that descriptor within some milliseconds; 0 if none came.
int process_next_signal(int signals, int millis);

// Starts a program in a process group of its own that gets SIGTERM when this thread ends, however
// it ends. `words` are path and arguments, each with its zero byte, one after the other. Standard
// output and error go to `output`. Returns its process id.
int process_spawn(char *_Nonnull words, int count, int output);

// How the program ended, within some milliseconds: its exit code, 128 + signal, or -EAGAIN.
int process_wait(int pid, int millis);
