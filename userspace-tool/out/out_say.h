/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out_say: messages on stderr
 */
#ifndef MYALLOCCTL_OUT_SAY_H
#define MYALLOCCTL_OUT_SAY_H

void out_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Returns the number of bytes. */
int out_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_progress(int permille, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void out_progress_end(void);

#endif /* MYALLOCCTL_OUT_SAY_H */
