// SPDX-License-Identifier: Apache-2.0
// libedit's readline face. Its settings are global variables, which Swift's concurrency checks refuse; the functions
// below set them. The command calls all of it from its main thread only.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <editline/readline.h>

typedef char *(*firn_completion_generator)(const char *text, int state);

/// Completes words by `generator`, which gives the matches of a word one by one, allocated by malloc, then NULL.
static inline void firn_set_completion(firn_completion_generator generator) {
    rl_readline_name = "firn";
    rl_completion_entry_function = (rl_compentry_func_t *)generator;
    rl_basic_word_break_characters = " \t\n\"\\'`@$><=;|&{(,.";
    rl_completion_append_character = ' ';
}

typedef struct {
    sigjmp_buf place;
    pthread_t thread;
    volatile sig_atomic_t is_open;
} firn_prompt_state;

/// The one prompt of the process. A variable of a function, because Swift's importer emits no global ones.
static inline firn_prompt_state *firn_prompt(void) {
    static firn_prompt_state state;
    return &state;
}

/// Leaves the prompt. Another thread that the signal reached hands it to the one that reads.
static inline void firn_leave_prompt(int number) {
    firn_prompt_state *prompt = firn_prompt();
    if (!prompt->is_open) return;
    if (!pthread_equal(pthread_self(), prompt->thread)) {
        pthread_kill(prompt->thread, number);
        return;
    }
    prompt->is_open = 0;
    siglongjmp(prompt->place, 1);
}

/// Shows the prompt and reads a line, allocated by malloc; NULL at the end of input, and where SIGINT came, which sets
/// *was_interrupted. libedit goes on reading after a signal, so it is left by a jump, as psql does. All frames between
/// are C, and libedit has given the terminal its usual mode back before our handler runs.
static inline char *firn_read_line(const char *text, int *was_interrupted) {
    struct sigaction action, previous;
    memset(&action, 0, sizeof action);
    action.sa_handler = firn_leave_prompt;
    sigemptyset(&action.sa_mask);
    firn_prompt()->thread = pthread_self();
    *was_interrupted = 0;
    sigaction(SIGINT, &action, &previous);
    if (sigsetjmp(firn_prompt()->place, 1) != 0) {
        sigaction(SIGINT, &previous, NULL);
        *was_interrupted = 1;
        return NULL;
    }
    firn_prompt()->is_open = 1;
    char *line = readline(text);
    firn_prompt()->is_open = 0;
    sigaction(SIGINT, &previous, NULL);
    return line;
}

/// Most bytes of a character in the locale; 1 where the locale knows no UTF-8. A macro that Swift does not see.
static inline size_t firn_character_bytes_max(void) { return MB_CUR_MAX; }
