// SPDX-License-Identifier: Apache-2.0
// libedit's readline face. Its settings are global variables, which Swift's concurrency checks refuse; the functions
// below set them. The command calls all of it from its main thread only.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <editline/readline.h>

typedef char *(*firn_completion_generator)(const char *text, int state);

static inline char **firn_attempt_completion(const char *text, int start, int end) {
    (void)text; (void)start; (void)end;
    return NULL;
}

/// Completes words by `generator`, which gives the matches of a word one by one, allocated by malloc, then NULL.
static inline void firn_set_completion(firn_completion_generator generator) {
    rl_readline_name = "firn";
    rl_completion_entry_function = (rl_compentry_func_t *)generator;
    rl_basic_word_break_characters = " \t\n\"\\'`@$><=;|&{(,.";
    rl_completion_append_character = ' ';
}

/// Keeps libedit from taking signals over.
static inline void firn_leave_signals_alone(void) { rl_catch_signals = 0; }
