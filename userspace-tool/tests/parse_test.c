// SPDX-License-Identifier: GPL-2.0
/*
 * parse_test: numbers, sizes, durations, shares and lists, right and wrong
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/closest.h"
#include "table.h"
#include "host/mem.h"
#include "myalloc.h"
#include "cmd/parse.h"

#define U64_MAX	(~0ull)

struct good {
	const char *text;
	unsigned long long value;
};

static void all_good(const char *(*parse)(const char *, __u64 *),
		     const struct good *good, size_t nr)
{
	const char *wrong;
	__u64 value;
	size_t i;

	for (i = 0; i < nr; i++) {
		wrong = parse(good[i].text, &value);
		EXPECT(!wrong, "'%s' is refused: %s", good[i].text, wrong);
		EXPECT(wrong || value == good[i].value, "'%s' is %llu, not %llu",
		       good[i].text, (unsigned long long)value, good[i].value);
	}
}

static void all_bad(const char *(*parse)(const char *, __u64 *),
		    const char *const *bad, size_t nr)
{
	__u64 value;
	size_t i;

	for (i = 0; i < nr; i++)
		EXPECT(parse(bad[i], &value), "'%s' is taken", bad[i]);
}

static void numbers(void)
{
	static const struct good good[] = {
		{ "0", 0 }, { "42", 42 }, { "0x2a", 42 }, { "0XFF", 255 },
		{ "007", 7 }, { "18446744073709551615", U64_MAX },
		{ "0xffffffffffffffff", U64_MAX },
	};
	static const char *const bad[] = {
		"", " 1", "1 ", "-1", "+1", "1.5", "x", "0x", "0xg", "1e3",
		"18446744073709551616", "0x10000000000000000", "4K", "--", "ff",
	};

	all_good(parse_number, good, ARRAY_SIZE(good));
	all_bad(parse_number, bad, ARRAY_SIZE(bad));
}

static void sizes(void)
{
	static const struct good good[] = {
		{ "64", 64 }, { "64K", 65536 }, { "64k", 65536 }, { "64B", 64 },
		{ "4KiB", 4096 }, { "4KB", 4096 }, { "2M", 2 << 20 },
		{ "2MiB", 2 << 20 }, { "1G", 1 << 30 }, { "1T", 1ull << 40 },
		{ "0x10K", 16384 }, { "16777215T", 16777215ull << 40 },
	};
	static const char *const bad[] = {
		"", "K", "4KK", "4Ki", "4i", "4X", "4 K", "-4K", "4.5K",
		"16777216T", "99999999999999999999", "4KiBs",
	};

	all_good(parse_size, good, ARRAY_SIZE(good));
	all_bad(parse_size, bad, ARRAY_SIZE(bad));
}

static void durations(void)
{
	static const struct good good[] = {
		{ "10", 10000 }, { "10s", 10000 }, { "500ms", 500 },
		{ "2m", 120000 }, { "2min", 120000 }, { "1h", 3600000 },
		{ "0.5", 500 }, { "1.5s", 1500 }, { "0.001s", 1 }, { "0", 0 },
		{ "1.25m", 75000 }, { "30sec", 30000 },
	};
	static const char *const bad[] = {
		"", "s", "10 s", "-1s", "1.s", ".5s", "10x", "0.5ms", "0x10s",
		"99999999999999999999s", "18446744073709551s", "5124095576030h",
	};

	all_good(parse_duration, good, ARRAY_SIZE(good));
	all_bad(parse_duration, bad, ARRAY_SIZE(bad));
}

static void shares(void)
{
	static const struct {
		const char *text;
		__u32 permille;
	} good[] = {
		{ "50%", 500 }, { "50", 500 }, { "62.5%", 625 }, { "0.1%", 1 },
		{ "100%", 1000 },
	};
	static const char *const bad[] = {
		"", "0", "0%", "0.05%", "101%", "100.1%", "-5%", "50%%", "half",
	};
	__u32 permille;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT(!parse_share(good[i].text, &permille), "'%s' is refused",
		       good[i].text);
		EXPECT(permille == good[i].permille, "'%s' is %u", good[i].text,
		       permille);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(parse_share(bad[i], &permille), "'%s' is taken", bad[i]);
}

static void cpus(void)
{
	static const char *const bad[] = {
		"", ",", "0,", "3-1", "0-", "-3", "256", "0-256", "a", "1,,2",
		"1;2", "0-99999999999999999999",
	};
	__u64 mask[4];
	size_t i;

	EXPECT(!parse_cpus("0-3,5", mask, 256), "0-3,5 is refused");
	EXPECT(mask[0] == 0x2f && !mask[1] && !mask[3], "0-3,5 is %llx",
	       (unsigned long long)mask[0]);
	EXPECT(!parse_cpus("63,64,255", mask, 256), "63,64,255 is refused");
	EXPECT(mask[0] == 1ull << 63 && mask[1] == 1 && mask[3] == 1ull << 63,
	       "63,64,255 has wrong bits");
	EXPECT(!parse_cpus("0-255", mask, 256), "0-255 is refused");
	EXPECT((mask[0] & mask[1] & mask[2] & mask[3]) == U64_MAX,
	       "0-255 is not all");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT(parse_cpus(bad[i], mask, 256), "'%s' is taken", bad[i]);
}

static void checks(void)
{
	__u32 checks;
	char buf[8];

	EXPECT(!parse_checks("FZPU", &checks) && checks == MYALLOC_CHECK_ALL,
	       "FZPU is not all");
	EXPECT(!parse_checks("uz", &checks) &&
	       checks == (MYALLOC_CHECK_OWNER | MYALLOC_CHECK_REDZONE),
	       "uz is %x", checks);
	EXPECT(!strcmp(checks_letters(checks, buf), "ZU"), "ZU is %s", buf);
	EXPECT(!parse_checks("none", &checks) && !checks, "none is %x", checks);
	EXPECT(!parse_checks("-", &checks) && !checks, "- is %x", checks);
	EXPECT(!strcmp(checks_letters(0, buf), "-"), "none is %s", buf);
	EXPECT(!strcmp(checks_letters(~0u, buf), "FZPU"), "all is %s", buf);
	EXPECT(parse_checks("", &checks), "nothing is taken");
	EXPECT(parse_checks("FX", &checks), "FX is taken");
}

static void weights(void)
{
	static const char *const bad[] = {
		"", ":", "1:", "1:2,", "1:x", "x", "1:4294967296", "1 2", "1:2:3",
	};
	const char *at = "64:3,1K:1,4096";
	__u64 value;
	__u32 weight;
	size_t i;

	EXPECT(!parse_weight(&at, &value, &weight) && value == 64 && weight == 3,
	       "first is %llu:%u", (unsigned long long)value, weight);
	EXPECT(!parse_weight(&at, &value, &weight) && value == 1024 && weight == 1,
	       "second is %llu:%u", (unsigned long long)value, weight);
	EXPECT(!parse_weight(&at, &value, &weight) && value == 4096 && weight == 1,
	       "third is %llu:%u", (unsigned long long)value, weight);
	EXPECT(!*at, "'%s' is left", at);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		at = bad[i];
		EXPECT(parse_weight(&at, &value, &weight), "'%s' is taken", bad[i]);
	}
}

static void nearest(void)
{
	static const char *const words[] = {
		"info", "stat", "page", "cache", "drain", "validate", "stress",
	};
	static const struct {
		const char *wrong, *near;
	} pairs[] = {
		{ "strss", "stress" }, { "stats", "stat" }, { "cahce", "cache" },
		{ "valid", "validate" }, { "pages", "page" }, { "inof", "info" },
		{ "xyzzy", NULL }, { "", NULL },
		{ "aword-longer-than-any-that-could-be-right-here", NULL },
	};
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		near = closest(pairs[i].wrong, words, ARRAY_SIZE(words));
		EXPECT(near == pairs[i].near ||
		       (near && pairs[i].near && !strcmp(near, pairs[i].near)),
		       "near '%s' is %s", pairs[i].wrong, near ? near : "nothing");
	}
}

static const struct table_test tests[] = {
	{ "numbers", numbers },
	{ "sizes", sizes },
	{ "durations", durations },
	{ "shares", shares },
	{ "cpus", cpus },
	{ "checks", checks },
	{ "weights", weights },
	{ "nearest", nearest },
};

int main(void)
{
	return table_run(tests, ARRAY_SIZE(tests));
}
