/* SPDX-License-Identifier: GPL-2.0 */
/*
 * form: the form of a result in a short notation, and as a JSON schema
 *
 * A verb has the form of its result beside its code:
 *
 *	pages:uint first:text|null rows:[{ name:text growth?:int }]
 *
 *	NAME:TYPE	a member that every result has; NAME?:TYPE one that some have
 *	*:TYPE		members of any name
 *	^NAME:TYPE	a member of the document, beside "result"
 *	@LIST		a member for each statistic of a kind, such as zone or cache (obj/figures.h);
 *			those by order are left out
 *	@LIST.KIND	those of a kind only, as TRAIT
 *	@LIST.each	those by order, one for each; @LIST.each.KIND those of a kind
 *	@LIST.sum	the events that are by order, summed up under their own names
 *	@pages		a member for each kind that a page can be of; @pages? some of them
 *
 * TYPE is uint, int, number, text, bool, null or any, a word in quotes that it has to be,
 * { MEMBERS }, [TYPE] for a list, or several of them with | between.
 */
#ifndef MYALLOCCTL_FORM_H
#define MYALLOCCTL_FORM_H

struct json_object;

/* A form as JSON schemas: of the result, and of members beside it. */
struct form {
	struct json_object *result;
	struct json_object *beside;	/* "properties" */
};

/* Ends the program if @text is not in the notation. */
void form_read(struct form *form, const char *text);

#endif /* MYALLOCCTL_FORM_H */
