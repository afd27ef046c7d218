// SPDX-License-Identifier: Apache-2.0
// libedit's readline face. Its settings are global variables, which Swift's concurrency checks refuse; the functions
// below set them. The command calls all of it from its main thread only.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <editline/readline.h>

typedef char *(*firn_completion_generator)(const char *text, int state);

/// What libedit calls first on Tab. Left to its default, it would put backslashes in front of what a file name in a Unix
/// shell must escape, and offer files where the generator has nothing.
static inline char **firn_attempt_completion(const char *text, int start, int end) {
    (void)start;
    (void)end;
    rl_attempted_completion_over = 1;
    return rl_completion_matches(text, (rl_compentry_func_t *)rl_completion_entry_function);
}

/// Completes words by `generator`, which gives the matches of a word one by one, allocated by malloc, then NULL.
static inline void firn_set_completion(firn_completion_generator generator) {
    rl_readline_name = "firn";
    rl_completion_entry_function = (rl_compentry_func_t *)generator;
    rl_attempted_completion_function = firn_attempt_completion;
    rl_basic_word_break_characters = " \t\n\"\\'`@$><=;|&{(,.";
    rl_completion_append_character = ' ';
}

/// The line that is being edited, in UTF-8, and the bytes of it before the cursor: for a completion generator.
static inline const char *firn_line_buffer(void) { return rl_line_buffer ? rl_line_buffer : ""; }
static inline int firn_line_point(void) { return rl_point; }

/// The character that follows a match that is the only one; 0 for none.
static inline void firn_set_completion_ending(int character) { rl_completion_append_character = character; }

/// What Ctrl-C does while a line is edited: it ends the line. libedit clears rl_done as it begins a line, and nothing
/// else here sets it. (A static variable of ours would exist once in each object file that the compiler inlines into.)
static inline int firn_interrupt_line(int count, int key) {
    (void)count;
    (void)key;
    rl_done = 1;
    return 0;
}

/// What Ctrl-Z does while a line is edited: it stops the process, as the terminal would. libedit's handlers give the
/// terminal back before, and take it again after.
static inline int firn_stop(int count, int key) {
    (void)count;
    (void)key;
    kill(getpid(), SIGTSTP);
    return 0;
}

/// Turns the keys that make signals into ordinary ones. libedit forgets its terminal settings between two lines.
static inline int firn_turn_signal_keys_off(void) { return rl_parse_and_bind("setty -d -isig"); }

/// Makes Ctrl-C an editing key while a line is read, and leaves it a signal at all other times. A signal at the prompt
/// would reach any thread of the process, and libedit would have to be left by a jump out of a signal handler. The
/// terminal has one switch for all keys that make signals, so Ctrl-Z is an editing key as well.
static inline void firn_bind_interrupt(void) {
    rl_pre_input_hook = firn_turn_signal_keys_off;
    rl_initialize();
    rl_add_defun("firn-interrupt", (rl_command_func_t *)firn_interrupt_line, 'C' & 0x1f);
    rl_add_defun("firn-stop", (rl_command_func_t *)firn_stop, 'Z' & 0x1f);
}

/// Shows the prompt and reads a line, allocated by malloc; NULL at the end of input, and where Ctrl-C was typed, which
/// sets *was_interrupted.
static inline char *firn_read_line(const char *text, int *was_interrupted) {
    char *line = readline(text);
    *was_interrupted = rl_done;
    if (rl_done) {
        free(line);
        return NULL;
    }
    return line;
}

/// Most bytes of a character in the locale; 1 where the locale knows no UTF-8. A macro that Swift does not see.
static inline size_t firn_character_bytes_max(void) { return MB_CUR_MAX; }
