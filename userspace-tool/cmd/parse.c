// SPDX-License-Identifier: GPL-2.0
/*
 * parse: numbers, sizes, durations, shares and lists as people write them
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/mem.h"
#include "myalloc.h"
#include "cmd/parse.h"

static const char too_large[] = "does not fit in 64 bits";

/* strtoull without its blanks, signs and octal; *@end is behind the number. */
static const char *number(const char *text, __u64 *value, const char **end)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	char *stop;

	if (!isxdigit((unsigned char)text[base == 16 ? 2 : 0]) ||
	    (base == 10 && !isdigit((unsigned char)text[0])))
		return "must be a whole number, as 42 or 0x2a";
	errno = 0;
	*value = strtoull(text, &stop, base);
	if (errno == ERANGE)
		return too_large;
	*end = stop;
	return NULL;
}

/* A number with up to three decimals, in thousandths. */
static const char *milli(const char *text, __u64 *value, const char **end)
{
	const char *wrong = "must be a number, as 10 or 0.5";
	__u64 part = 0, scale = 100, whole;

	if (!isdigit((unsigned char)*text) || number(text, &whole, end) ||
	    (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')))
		return wrong;
	if (whole > ULLONG_MAX / 1000 - 1)
		return too_large;
	if (**end == '.') {
		if (!isdigit((unsigned char)*++*end))
			return wrong;
		for (; isdigit((unsigned char)**end); (*end)++, scale /= 10)
			part += (**end - '0') * scale;
	}
	*value = whole * 1000 + part;
	return NULL;
}

const char *parse_number(const char *text, __u64 *value)
{
	const char *end, *wrong = number(text, value, &end);

	if (!wrong && *end)
		wrong = "must be a whole number, as 42 or 0x2a";
	return wrong;
}

/* The length of a size's unit at @text, and its shift; -1 if it is none. */
static int unit(const char *text, unsigned int *shift)
{
	static const char letters[] = "KMGT";
	const char *letter;
	int len = 0;

	*shift = 0;
	letter = *text ? strchr(letters, toupper((unsigned char)*text)) : NULL;
	if (letter) {
		*shift = 10 * (letter - letters + 1);
		len = 1;
		if (text[1] == 'i' && toupper((unsigned char)text[2]) == 'B')
			len = 3;
		else if (toupper((unsigned char)text[1]) == 'B')
			len = 2;
	} else if (toupper((unsigned char)*text) == 'B') {
		len = 1;
	}
	return isalnum((unsigned char)text[len]) ? -1 : len;
}

static const char size_rule[] =
	"must be a number of bytes, or one followed by K, M, G or T, as 64K or 4KiB";

static const char *size(const char *text, __u64 *bytes, const char **end)
{
	const char *wrong = number(text, bytes, end);
	unsigned int shift;
	int len;

	if (wrong)
		return wrong == too_large ? wrong : size_rule;
	len = unit(*end, &shift);
	if (len < 0)
		return size_rule;
	if (*bytes > ULLONG_MAX >> shift)
		return too_large;
	*bytes <<= shift;
	*end += len;
	return NULL;
}

const char *parse_size(const char *text, __u64 *bytes)
{
	const char *end, *wrong = size(text, bytes, &end);

	if (!wrong && *end)
		wrong = size_rule;
	return wrong;
}

const char *parse_duration(const char *text, __u64 *ms)
{
	static const char rule[] =
		"must be a number followed by ms, s, m or h, or a number of seconds, as 10s or 500ms";
	static const struct {
		const char *name;
		__u64 ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "sec", 1000 },
		{ "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
	};
	const char *end, *wrong;
	__u64 value;
	size_t i;

	wrong = milli(text, &value, &end);
	if (wrong)
		return wrong == too_large ? wrong : rule;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (value > ULLONG_MAX / units[i].ms)
			return too_large;
		*ms = value * units[i].ms / 1000;
		if (value && !*ms)
			return "must be at least 1ms";
		return NULL;
	}
	return rule;
}

const char *parse_share(const char *text, __u32 *permille)
{
	static const char rule[] =
		"must be a percentage from 0.1% to 100%, as 50% or 62.5%";
	const char *end;
	__u64 value;

	if (milli(text, &value, &end))
		return rule;
	if (*end == '%')
		end++;
	if (*end || value < 100 || value > 100000)
		return rule;
	*permille = value / 100;
	return NULL;
}

/* A list as the kernel writes them: "0-3,5"; @mask has one bit for each of @cpus. */
const char *parse_cpus(const char *text, __u64 *mask, unsigned int cpus)
{
	static const char rule[] =
		"must be a list of numbers and ranges, as 0-3,5";
	const char *end = text;
	__u64 first, last;

	memset(mask, 0, (cpus + 63) / 64 * sizeof(*mask));
	do {
		if (number(end, &first, &end))
			return rule;
		last = first;
		if (*end == '-' && number(end + 1, &last, &end))
			return rule;
		if (last < first)
			return "a range must begin with the lower number, as 0-3";
		if (last >= cpus)
			return "a CPU must be from 0 to 255";
		for (; first <= last; first++)
			mask[first / 64] |= 1ull << (first % 64);
	} while (*end++ == ',');
	return end[-1] ? rule : NULL;
}

static const struct {
	char letter;
	__u32 bit;
} checks_table[] = {
	{ 'F', MYALLOC_CHECK_SANITY },
	{ 'Z', MYALLOC_CHECK_REDZONE },
	{ 'P', MYALLOC_CHECK_POISON },
	{ 'U', MYALLOC_CHECK_OWNER },
};

const char *parse_checks(const char *text, __u32 *checks)
{
	size_t i;

	*checks = 0;
	if (!strcmp(text, "-") || !strcmp(text, "none"))
		return NULL;
	if (!*text)
		return "must be letters of FZPU, or none";
	for (; *text; text++) {
		for (i = 0; i < ARRAY_SIZE(checks_table); i++)
			if (toupper((unsigned char)*text) == checks_table[i].letter)
				break;
		if (i == ARRAY_SIZE(checks_table))
			return "must be letters of FZPU (F sanity, Z red zones, P poison, U owners), or none";
		*checks |= checks_table[i].bit;
	}
	return NULL;
}

const char *checks_letters(__u32 checks, char *buf)
{
	char *p = buf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checks_table); i++)
		if (checks & checks_table[i].bit)
			*p++ = checks_table[i].letter;
	if (p == buf)
		*p++ = '-';
	*p = 0;
	return buf;
}

const char *parse_weight(const char **text, __u64 *value, __u32 *weight)
{
	static const char rule[] =
		"must be a list of value:weight, as 0:8,1:4 or 64:3,1K:1";
	const char *end, *wrong;
	__u64 w = 1;

	wrong = size(*text, value, &end);
	if (wrong)
		return wrong == too_large ? wrong : rule;
	if (*end == ':' && (number(end + 1, &w, &end) || w > UINT_MAX))
		return rule;
	if (*end == ',' && end[1])
		end++;
	else if (*end)
		return rule;
	*weight = w;
	*text = end;
	return NULL;
}
