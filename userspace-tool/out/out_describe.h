/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out_describe: functions that describe a result; see out.h
 */
#ifndef MYALLOCCTL_OUT_DESCRIBE_H
#define MYALLOCCTL_OUT_DESCRIBE_H

#include "out/out_types.h"

struct out *out_new(const char *kind);
void out_seed(struct out *o, __u64 seed);
void out_page_size(struct out *o, __u64 bytes);
void out_show_system(struct out *o);	/* in the text too */
/* From here on, numbers that are 0 are in the JSON only. Returns the previous setting. */
bool out_brief(struct out *o, bool brief);
/* Sets the rank of the last value: one of enum out_rank, or a number below. */
void out_rank(struct out *o, int rank);
/* Shows the open item in the JSON only. */
void out_hide(struct out *o);
void out_group(struct out *o, const char *key, const char *label);
void out_list(struct out *o, const char *key, const char *label);
/* A list whose items are shown below each other, not as a table; see out_table_cards(). */
void out_cards(struct out *o, const char *key, const char *label);
void out_item(struct out *o);
void out_end(struct out *o);
void out_u64(struct out *o, const char *key, const char *label,
	     enum out_unit unit, __u64 value);
void out_s64(struct out *o, const char *key, const char *label,
	     enum out_unit unit, __s64 value);
void out_ratio(struct out *o, const char *key, const char *label,
	       double num, double den);
void out_str(struct out *o, const char *key, const char *label,
	     enum out_unit unit, const char *value);
void out_strn(struct out *o, const char *key, const char *label,
	      enum out_unit unit, const char *value, size_t size);
void out_bool(struct out *o, const char *key, const char *label,
	      enum out_unit unit, bool value);
void out_handle(struct out *o, const char *key, const char *label, __u64 value);
void out_json(struct out *o, const char *key, const char *label,
	      struct json_object *value);
void out_null(struct out *o, const char *key, const char *label);
/* Adds lines that are printed unchanged, with colours of their own, and are not in the JSON. */
void out_drawing(struct out *o, const char *text);

/* Print @text, which is freed with it, in place of the text that the tree makes. */
void out_as_text(struct out *o, char *text);

#endif /* MYALLOCCTL_OUT_DESCRIBE_H */
