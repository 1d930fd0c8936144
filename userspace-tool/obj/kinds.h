/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kinds: the kinds of pages, with their names and colours everywhere
 */
#ifndef MYALLOCCTL_KINDS_H
#define MYALLOCCTL_KINDS_H

#include <stdbool.h>

#include "myalloc.h"

struct out;

/*
 * How a kind of page, or a shade of it, is shown.
 * @key: name in JSON, of the kind
 * @label: for people, of the shade
 * @letter: in place of a colour
 * @color: of the 256 of terminals
 * @web: for the browser
 * @dark: a letter on it is white
 */
struct shade {
	const char *key;
	const char *label;
	__u32 kind;
	char letter;
	unsigned char color;
	const char *web;
	bool dark;
};

#define SHADES_MAX	24

extern const struct shade shades[];	/* the last has no key */

/* The name of a kind. */
const char *kind_name(__u32 kind);
/* The shade of the most frequent kind in a cell; that of bad pages if there are any. */
const struct shade *shade_of(const struct myalloc_cell *cell);

#define WHO_FORM \
	"{ by:text|null pid?:uint age_ns?:uint stack?:[{ at:text }] }"
#define LOOK_FORM \
	"kind:text first_page:uint pages:uint order:uint cache:text|null cache_id?:uint " \
	"slots?:uint used?:uint object_bytes?:uint slot:uint|null state?:text " \
	"offset_bytes:int contract:text|null client:text|null process?:text process_pid?:uint " \
	"allocated:" WHO_FORM " freed:" WHO_FORM

/* Adds the details of one place to the open group. */
void look_describe(struct out *o, const struct myalloc_look *look);

#endif /* MYALLOCCTL_KINDS_H */
