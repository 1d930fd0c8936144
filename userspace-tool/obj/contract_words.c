// SPDX-License-Identifier: GPL-2.0
/*
 * contract_words: lines of a contract as people write them
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "obj/contract_words.h"

/* Reads decimal digits; *@at moves behind them. False if there are none, or too many. */
static bool read_number(const char **at, __u32 *value)
{
	__u64 number = 0;
	const char *p = *at;

	while (isdigit((unsigned char)*p) && number <= ~0u)
		number = number * 10 + (*p++ - '0');
	if (p == *at || number > ~0u)
		return false;
	*at = p;
	*value = number;
	return true;
}

static const char *add_order(struct myalloc_line *line, __u32 order)
{
	if (order > MYALLOC_MAX_ORDER)
		return "an order is 0 to 14";
	line->orders |= 1u << order;
	return NULL;
}

static const char *add_size(struct myalloc_line *line, __u32 size)
{
	if (line->nr_sizes == MYALLOC_LINE_SIZES_MAX)
		return "a line has at most 22 sizes";
	line->sizes[line->nr_sizes++] = size;
	return NULL;
}

/* A list of numbers and ranges. */
static const char *read_list(const char **at, struct myalloc_line *line,
			     const char *(*add)(struct myalloc_line *line, __u32 value))
{
	const char *wrong;
	__u32 from, to;

	do {
		if (!read_number(at, &from))
			return "a list consists of numbers and ranges, as 0,9 or 0-3";
		to = from;
		if (**at == '-') {
			++*at;
			if (!read_number(at, &to) || to < from)
				return "a range goes from the lower to the higher number, as 0-3";
		}
		for (; from <= to; from++) {
			wrong = add(line, from);
			if (wrong)
				return wrong;
		}
	} while (**at == ',' && ++*at);
	return NULL;
}

static const char *read_pages(const char **at, struct myalloc_line *line, bool extents)
{
	line->kind = extents ? MYALLOC_LINE_EXTENTS : MYALLOC_LINE_PAGES;
	if (!read_number(at, &line->pages) || !line->pages)
		return "a number of pages must follow, at least 1";
	if (**at != '@')
		return extents ? "@ and the sizes in pages must follow, as extents:512@5,12" :
				 "@ and the orders must follow, as pages:4096@0,9";
	++*at;
	return read_list(at, line, extents ? add_size : add_order);
}

static const char *read_objects(const char **at, struct myalloc_line *line)
{
	char *size, *plus;
	const char *wrong;
	__u64 bytes;

	line->kind = MYALLOC_LINE_OBJECTS;
	if (!read_number(at, &line->count) || !line->count)
		return "a number of objects must follow, at least 1";
	if (**at != 'x')
		return "x and the size of an object must follow, as objects:10000x256";
	size = xstrdup(++*at);
	plus = strchr(size, '+');
	if (plus)
		*plus = '\0';
	wrong = parse_size(size, &bytes);
	if (!wrong && (!bytes || bytes > MYALLOC_OBJECT_MAX))
		wrong = "an object has 1 to 32768 bytes";
	line->object_size = bytes;
	*at += strlen(size);
	free(size);
	return wrong;
}

const char *contract_parse(const char *word, struct myalloc_line *line)
{
	const char *wrong, *colon = strchr(word, ':'), *at = colon ? colon + 1 : word;
	size_t length = colon ? colon - word : 0;

	memset(line, 0, sizeof(*line));
	if (length == 5 && !strncmp(word, "pages", length))
		wrong = read_pages(&at, line, false);
	else if (length == 7 && !strncmp(word, "extents", length))
		wrong = read_pages(&at, line, true);
	else if (length == 7 && !strncmp(word, "objects", length))
		wrong = read_objects(&at, line);
	else
		return "a line is " LINE_WORDS;
	if (!wrong && *at == '+' && (!read_number((++at, &at), &line->nmi) || !line->nmi))
		wrong = "+ and the number for each CPU's NMI handlers, at least 1, must follow";
	if (!wrong && *at)
		wrong = "a line is " LINE_WORDS;
	return wrong;
}

static void add_text(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add_text(char *buf, size_t size, const char *fmt, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + used, size - used, fmt, ap);
	va_end(ap);
}

void contract_orders(__u32 orders, char *buf, size_t size)
{
	unsigned int k, end;

	*buf = '\0';
	for (k = 0; k < 32; k = end + 1) {
		end = k;
		if (!(orders >> k & 1))
			continue;
		while (end < 31 && orders >> (end + 1) & 1)
			end++;
		add_text(buf, size, end == k ? "%s%u" : "%s%u-%u", *buf ? "," : "", k, end);
	}
}

void contract_word(const struct myalloc_line *line, char *buf, size_t size)
{
	char orders[64];
	__u32 i;

	*buf = '\0';
	switch (line->kind) {
	case MYALLOC_LINE_PAGES:
		contract_orders(line->orders, orders, sizeof(orders));
		add_text(buf, size, "pages:%u@%s", line->pages, orders);
		break;
	case MYALLOC_LINE_EXTENTS:
		add_text(buf, size, "extents:%u@", line->pages);
		for (i = 0; i < line->nr_sizes; i++)
			add_text(buf, size, "%s%u", i ? "," : "", line->sizes[i]);
		break;
	default:
		add_text(buf, size, "objects:%ux%u", line->count, line->object_size);
	}
	if (line->nmi)
		add_text(buf, size, "+%u", line->nmi);
}
