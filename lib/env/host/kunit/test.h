/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit on the host: the parts of 6.1 that the suites use, with the same names
 *
 * The runner (test.c) has main(). Each suite runs in its process; a failed
 * assertion leaves the test by longjmp().
 */
#ifndef MYALLOC_HOST_KUNIT_TEST_H
#define MYALLOC_HOST_KUNIT_TEST_H

#include "env.h"

#include <setjmp.h>

#define KUNIT_PARAM_DESC_SIZE		128
#define KUNIT_STATUS_COMMENT_SIZE	256

/* --- what the kernel's <kunit/test.h> brings along ----------------------- */

typedef unsigned int gfp_t;

#define GFP_KERNEL	0u
#define __GFP_ZERO	1u
#define __GFP_NOWARN	2u

/* Chunks for zones, under the kernel's names; always zeroed. */
static inline unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	return (unsigned long)host_chunk_alloc(order);
}

static inline void free_pages(unsigned long addr, unsigned int order)
{
	host_chunk_free((void *)addr, order);
}

#define HOST_MODULE_INFO(n)	struct host_module_info_##n
#define MODULE_LICENSE(x)	HOST_MODULE_INFO(license)
#define MODULE_DESCRIPTION(x)	HOST_MODULE_INFO(description)
#define MODULE_AUTHOR(x)	HOST_MODULE_INFO(author)
#define MODULE_IMPORT_NS(x)	HOST_MODULE_INFO(import_ns)

/* --- suites and cases ------------------------------------------------------ */

enum kunit_status {
	KUNIT_SUCCESS,
	KUNIT_FAILURE,
	KUNIT_SKIPPED,
};

struct kunit_block;

/**
 * struct kunit - a running test
 * @priv: for use by the test
 */
struct kunit {
	void *priv;

	/* private: */
	const char *name;		/* name of the test case */
	const void *param_value;	/* parameter of a case that has them */
	int param_index;
	enum kunit_status status;	/* so far */
	char status_comment[KUNIT_STATUS_COMMENT_SIZE];	/* why it is skipped */
	struct kunit_block *blocks;	/* blocks to free after the test */
	/* Where a failed assertion jumps to. */
	struct {
		jmp_buf out;
		u64 thread;
	} try_catch;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);

	/* private: */
	enum kunit_status status;
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;

	/* private: */
	struct kunit_suite *next;
	unsigned int nr_cases;
	int suite_init_err;
	enum kunit_status status;
	char status_comment[KUNIT_STATUS_COMMENT_SIZE];
};

#define KUNIT_CASE(test_name)	{ .run_case = test_name, .name = #test_name }
#define KUNIT_CASE_PARAM(test_name, gen_params) \
	{ .run_case = test_name, .name = #test_name, .generate_params = gen_params }

#define KUNIT_ARRAY_PARAM(name, array, get_desc)				\
static const void *name##_gen_params(const void *prev, char *desc)		\
{										\
	typeof((array)[0]) *__next = prev ? ((typeof(__next))prev) + 1 : (array); \
	void (*__get_desc)(typeof(__next), char *) = get_desc;			\
										\
	if (__next >= (array) + ARRAY_SIZE(array))				\
		return NULL;							\
	if (__get_desc)								\
		__get_desc(__next, desc);					\
	return __next;								\
}

void kunit_register_suites(struct kunit_suite **suites, size_t nr);

#define __kunit_test_suites(array, ctor, ...)					\
	static struct kunit_suite *array[] = { __VA_ARGS__ };			\
	static void __attribute__((constructor)) ctor(void)			\
	{									\
		kunit_register_suites(array, ARRAY_SIZE(array));		\
	}									\
	struct kunit_suite
#define kunit_test_suites(...) \
	__kunit_test_suites(__UNIQUE_ID(suites), __UNIQUE_ID(register), __VA_ARGS__)
#define kunit_test_suite(suite)	kunit_test_suites(&(suite))

/* --- memory that ends with the test ------------------------------------------ */

void *kunit_kmalloc(struct kunit *test, size_t size, gfp_t gfp);
void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp);
void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void kunit_kfree(struct kunit *test, const void *ptr);

/* --- output ------------------------------------------------------------------- */

__printf(2, 3) void kunit_note(struct kunit *test, const char *fmt, ...);

#define kunit_info(test, fmt, ...)	kunit_note(test, fmt, ##__VA_ARGS__)
#define kunit_warn(test, fmt, ...)	kunit_note(test, fmt, ##__VA_ARGS__)
#define kunit_err(test, fmt, ...)	kunit_note(test, fmt, ##__VA_ARGS__)

#define kunit_mark_skipped(test_or_suite, fmt, ...)			\
	do {								\
		WRITE_ONCE((test_or_suite)->status, KUNIT_SKIPPED);	\
		scnprintf((test_or_suite)->status_comment,		\
			  KUNIT_STATUS_COMMENT_SIZE, fmt, ##__VA_ARGS__); \
	} while (0)
#define kunit_skip(test, fmt, ...)					\
	do {								\
		kunit_mark_skipped(test, fmt, ##__VA_ARGS__);		\
		kunit_abort(test);					\
	} while (0)

/* --- expectations ---------------------------------------------------------------- */

__noreturn void kunit_abort(struct kunit *test);

enum kunit_assert_type { KUNIT_ASSERTION, KUNIT_EXPECTATION };

/**
 * struct kunit_report - a failed expectation
 * @type: expectation or assertion
 * @file: source file
 * @line: line in @file
 * @left: text of the left side, or of the condition
 * @op: the operator; NULL for a condition
 * @right: text of the right side, or the expected value of the condition
 * @kind: how the values are printed
 * @lval: left value
 * @rval: right value
 */
struct kunit_report {
	enum kunit_assert_type type;
	const char *file;
	int line;
	const char *left;
	const char *op;
	const char *right;
	enum { KUNIT_INT, KUNIT_PTR, KUNIT_STR, KUNIT_COND, KUNIT_NOTE } kind;
	union {
		long long i;
		const void *p;
	} lval, rval;
};

__printf(3, 4)
void kunit_failed(struct kunit *test, const struct kunit_report *report,
		  const char *fmt, ...);

#define KUNIT_FAILED(test, type_, report_, fmt, ...)			\
	do {								\
		kunit_failed(test, report_, fmt, ##__VA_ARGS__);	\
		if ((type_) == KUNIT_ASSERTION)				\
			kunit_abort(test);				\
	} while (0)

/* The kernel's version compares int with unsigned without a warning. */
#define KUNIT_INT_ASSERTION(test, type_, left_, op_, right_, fmt, ...)	\
	do {								\
		const typeof(left_) __left = (left_);			\
		const typeof(right_) __right = (right_);		\
									\
		_Pragma("GCC diagnostic push")				\
		_Pragma("GCC diagnostic ignored \"-Wsign-compare\"")	\
		if (likely(__left op_ __right))				\
			break;						\
		_Pragma("GCC diagnostic pop")				\
		KUNIT_FAILED(test, type_, (&(struct kunit_report){	\
			.type = (type_), .file = __FILE__, .line = __LINE__, \
			.left = #left_, .op = #op_, .right = #right_,	\
			.kind = KUNIT_INT,				\
			.lval.i = __left, .rval.i = __right }), fmt, ##__VA_ARGS__); \
	} while (0)

#define KUNIT_PTR_ASSERTION(test, type_, left_, op_, right_, fmt, ...)	\
	do {								\
		const typeof(left_) __left = (left_);			\
		const typeof(right_) __right = (right_);		\
									\
		if (likely(__left op_ __right))				\
			break;						\
		KUNIT_FAILED(test, type_, (&(struct kunit_report){	\
			.type = (type_), .file = __FILE__, .line = __LINE__, \
			.left = #left_, .op = #op_, .right = #right_,	\
			.kind = KUNIT_PTR,				\
			.lval.p = __left, .rval.p = __right }), fmt, ##__VA_ARGS__); \
	} while (0)

#define KUNIT_STR_ASSERTION(test, type_, left_, op_, right_, fmt, ...)	\
	do {								\
		const char *__left = (left_);				\
		const char *__right = (right_);				\
									\
		if (likely(__left && __right && strcmp(__left, __right) op_ 0)) \
			break;						\
		KUNIT_FAILED(test, type_, (&(struct kunit_report){	\
			.type = (type_), .file = __FILE__, .line = __LINE__, \
			.left = #left_, .op = #op_, .right = #right_,	\
			.kind = KUNIT_STR,				\
			.lval.p = __left, .rval.p = __right }), fmt, ##__VA_ARGS__); \
	} while (0)

#define KUNIT_COND_ASSERTION(test, type_, cond_, expect_, fmt, ...)	\
	do {								\
		const bool __cond = !!(cond_);				\
									\
		if (likely(__cond == (expect_)))			\
			break;						\
		KUNIT_FAILED(test, type_, (&(struct kunit_report){	\
			.type = (type_), .file = __FILE__, .line = __LINE__, \
			.left = #cond_, .right = (expect_) ? "true" : "false", \
			.kind = KUNIT_COND }), fmt, ##__VA_ARGS__);	\
	} while (0)

#define KUNIT_NOT_ERR_ASSERTION(test, type_, ptr_, fmt, ...)		\
	do {								\
		const void *__ptr = (ptr_);				\
									\
		if (likely(!IS_ERR_OR_NULL(__ptr)))			\
			break;						\
		KUNIT_FAILED(test, type_, (&(struct kunit_report){	\
			.type = (type_), .file = __FILE__, .line = __LINE__, \
			.left = #ptr_, .op = "is neither NULL nor", .right = "an error", \
			.kind = KUNIT_INT, .lval.i = (long)__ptr }), fmt, ##__VA_ARGS__); \
	} while (0)

#define KUNIT_FAIL(test, fmt, ...)					\
	KUNIT_FAILED(test, KUNIT_EXPECTATION, (&(struct kunit_report){	\
		.type = KUNIT_EXPECTATION, .file = __FILE__, .line = __LINE__, \
		.kind = KUNIT_NOTE }), fmt, ##__VA_ARGS__)
#define KUNIT_SUCCEED(test)	do { (void)(test); } while (0)

#define KUNIT_EXPECT_TRUE(test, c) \
	KUNIT_COND_ASSERTION(test, KUNIT_EXPECTATION, c, true, NULL)
#define KUNIT_EXPECT_TRUE_MSG(test, c, fmt, ...) \
	KUNIT_COND_ASSERTION(test, KUNIT_EXPECTATION, c, true, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_FALSE(test, c) \
	KUNIT_COND_ASSERTION(test, KUNIT_EXPECTATION, c, false, NULL)
#define KUNIT_EXPECT_FALSE_MSG(test, c, fmt, ...) \
	KUNIT_COND_ASSERTION(test, KUNIT_EXPECTATION, c, false, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_EQ(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, ==, r, NULL)
#define KUNIT_EXPECT_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NE(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, !=, r, NULL)
#define KUNIT_EXPECT_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_LT(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, <, r, NULL)
#define KUNIT_EXPECT_LT_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, <, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_LE(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, <=, r, NULL)
#define KUNIT_EXPECT_LE_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, <=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_GT(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, >, r, NULL)
#define KUNIT_EXPECT_GT_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, >, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_GE(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, >=, r, NULL)
#define KUNIT_EXPECT_GE_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_EXPECTATION, l, >=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_PTR_EQ(test, l, r) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, l, ==, r, NULL)
#define KUNIT_EXPECT_PTR_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_PTR_NE(test, l, r) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, l, !=, r, NULL)
#define KUNIT_EXPECT_PTR_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_STREQ(test, l, r) \
	KUNIT_STR_ASSERTION(test, KUNIT_EXPECTATION, l, ==, r, NULL)
#define KUNIT_EXPECT_STREQ_MSG(test, l, r, fmt, ...) \
	KUNIT_STR_ASSERTION(test, KUNIT_EXPECTATION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_STRNEQ(test, l, r) \
	KUNIT_STR_ASSERTION(test, KUNIT_EXPECTATION, l, !=, r, NULL)
#define KUNIT_EXPECT_STRNEQ_MSG(test, l, r, fmt, ...) \
	KUNIT_STR_ASSERTION(test, KUNIT_EXPECTATION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NULL(test, p) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, p, ==, NULL, NULL)
#define KUNIT_EXPECT_NULL_MSG(test, p, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, p, ==, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL(test, p) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, p, !=, NULL, NULL)
#define KUNIT_EXPECT_NOT_NULL_MSG(test, p, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_EXPECTATION, p, !=, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(test, p) \
	KUNIT_NOT_ERR_ASSERTION(test, KUNIT_EXPECTATION, p, NULL)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL_MSG(test, p, fmt, ...) \
	KUNIT_NOT_ERR_ASSERTION(test, KUNIT_EXPECTATION, p, fmt, ##__VA_ARGS__)

#define KUNIT_ASSERT_TRUE(test, c) \
	KUNIT_COND_ASSERTION(test, KUNIT_ASSERTION, c, true, NULL)
#define KUNIT_ASSERT_TRUE_MSG(test, c, fmt, ...) \
	KUNIT_COND_ASSERTION(test, KUNIT_ASSERTION, c, true, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_FALSE(test, c) \
	KUNIT_COND_ASSERTION(test, KUNIT_ASSERTION, c, false, NULL)
#define KUNIT_ASSERT_FALSE_MSG(test, c, fmt, ...) \
	KUNIT_COND_ASSERTION(test, KUNIT_ASSERTION, c, false, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_EQ(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, ==, r, NULL)
#define KUNIT_ASSERT_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NE(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, !=, r, NULL)
#define KUNIT_ASSERT_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_LT(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, <, r, NULL)
#define KUNIT_ASSERT_LT_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, <, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_LE(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, <=, r, NULL)
#define KUNIT_ASSERT_LE_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, <=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_GT(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, >, r, NULL)
#define KUNIT_ASSERT_GT_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, >, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_GE(test, l, r) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, >=, r, NULL)
#define KUNIT_ASSERT_GE_MSG(test, l, r, fmt, ...) \
	KUNIT_INT_ASSERTION(test, KUNIT_ASSERTION, l, >=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_PTR_EQ(test, l, r) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, l, ==, r, NULL)
#define KUNIT_ASSERT_PTR_EQ_MSG(test, l, r, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_PTR_NE(test, l, r) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, l, !=, r, NULL)
#define KUNIT_ASSERT_PTR_NE_MSG(test, l, r, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_STREQ(test, l, r) \
	KUNIT_STR_ASSERTION(test, KUNIT_ASSERTION, l, ==, r, NULL)
#define KUNIT_ASSERT_STREQ_MSG(test, l, r, fmt, ...) \
	KUNIT_STR_ASSERTION(test, KUNIT_ASSERTION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_STRNEQ(test, l, r) \
	KUNIT_STR_ASSERTION(test, KUNIT_ASSERTION, l, !=, r, NULL)
#define KUNIT_ASSERT_STRNEQ_MSG(test, l, r, fmt, ...) \
	KUNIT_STR_ASSERTION(test, KUNIT_ASSERTION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NULL(test, p) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, p, ==, NULL, NULL)
#define KUNIT_ASSERT_NULL_MSG(test, p, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, p, ==, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NOT_NULL(test, p) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, p, !=, NULL, NULL)
#define KUNIT_ASSERT_NOT_NULL_MSG(test, p, fmt, ...) \
	KUNIT_PTR_ASSERTION(test, KUNIT_ASSERTION, p, !=, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p) \
	KUNIT_NOT_ERR_ASSERTION(test, KUNIT_ASSERTION, p, NULL)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, p, fmt, ...) \
	KUNIT_NOT_ERR_ASSERTION(test, KUNIT_ASSERTION, p, fmt, ##__VA_ARGS__)

#endif /* MYALLOC_HOST_KUNIT_TEST_H */
