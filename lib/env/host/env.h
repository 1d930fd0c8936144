/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment on the host: stand-ins for the parts of the kernel that lib/ uses
 *
 * Names and semantics are the kernel's (6.1), so lib/ cannot tell the difference. A
 * stand-in either does what the kernel's function does or stops the program with a
 * message; none of them always answers yes. See env.c for how CPUs, interrupts and
 * locks are simulated. Names that begin with host_ are for tests only.
 *
 * HOST_FAST is for benchmarks: no checks, and no exclusion between threads with the
 * same CPU number, so each thread must have its own number. HOST_THREADS, on top of it, is for
 * programs whose threads come and go: see threads.h.
 */
#ifndef MYALLOC_ENV_H
#define MYALLOC_ENV_H

#include "env/only_64bit.h"

#ifndef _GNU_SOURCE
#error "compile with -D_GNU_SOURCE"
#endif

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#if defined(__SANITIZE_ADDRESS__)
#define HOST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOST_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define HOST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HOST_TSAN 1
#endif
#endif

/* --- types ------------------------------------------------------------- */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

#define U8_MAX	((u8)~0U)
#define S8_MAX	((s8)(U8_MAX >> 1))
#define U16_MAX	((u16)~0U)
#define S16_MAX	((s16)(U16_MAX >> 1))
#define U32_MAX	((u32)~0U)
#define S32_MAX	((s32)(U32_MAX >> 1))
#define S32_MIN	((s32)(-S32_MAX - 1))
#define U64_MAX	((u64)~0ULL)
#define S64_MAX	((s64)(U64_MAX >> 1))
#define S64_MIN	((s64)(-S64_MAX - 1))

/* --- compiler ---------------------------------------------------------- */

#undef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#define noinline		__attribute__((__noinline__))
#if __has_attribute(__noclone__)
#define __noclone		__attribute__((__noclone__))
#else
#define __noclone
#endif
#define __aligned(x)		__attribute__((__aligned__(x)))
#define __packed		__attribute__((__packed__))
#define __section(s)		__attribute__((__section__(s)))
#define __cold			__attribute__((__cold__))
#define __weak			__attribute__((__weak__))
#define __used			__attribute__((__used__))
#define __maybe_unused		__attribute__((__unused__))
#define __always_unused		__attribute__((__unused__))
#define __must_check		__attribute__((__warn_unused_result__))
#define __noreturn		__attribute__((__noreturn__))
#undef __attribute_const__
#define __attribute_const__	__attribute__((__const__))
#define __pure			__attribute__((__pure__))
#define __printf(a, b)		__attribute__((__format__(printf, a, b)))
#define fallthrough		__attribute__((__fallthrough__))
#define __percpu
#define __user
#define __iomem
#define __rcu
#define __force
#define __bitwise
#define __init
#define __exit
#define __read_mostly
#define __ro_after_init
#define notrace
#define __acquires(x)
#define __releases(x)
#define __must_hold(x)
#define __acquire(x)		((void)0)
#define __release(x)		((void)0)
#define __cond_lock(x, c)	(c)

#define L1_CACHE_SHIFT		6
#define L1_CACHE_BYTES		(1 << L1_CACHE_SHIFT)
#define SMP_CACHE_BYTES		L1_CACHE_BYTES
#define ____cacheline_aligned	__aligned(L1_CACHE_BYTES)
#define ____cacheline_aligned_in_smp __aligned(L1_CACHE_BYTES)

/* Empty when MC/DC is measured, or clang would not recognise a decision. */
#ifdef HOST_MCDC
#define likely
#define unlikely
#else
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#endif
#define unreachable()		__builtin_unreachable()
#define barrier()		__asm__ __volatile__("" : : : "memory")
#define _RET_IP_		((unsigned long)__builtin_return_address(0))
#define _THIS_IP_		({ __label__ __here; __here: (unsigned long)&&__here; })
#define __same_type(a, b)	__builtin_types_compatible_p(typeof(a), typeof(b))
#define typecheck(type, x)	((void)sizeof((type *)0 == (typeof(x) *)0), 1)
#define __UNIQUE_ID_2(a, b)	a##b
#define __UNIQUE_ID_1(a, b)	__UNIQUE_ID_2(a, b)
#define __UNIQUE_ID(prefix)	__UNIQUE_ID_1(__UNIQUE_ID_##prefix, __COUNTER__)
#define __stringify_1(x...)	#x
#define __stringify(x...)	__stringify_1(x)

#undef static_assert
#define __static_assert(expr, msg, ...) _Static_assert(expr, msg)
#define static_assert(expr, ...) __static_assert(expr, ##__VA_ARGS__, #expr)
#define BUILD_BUG_ON_MSG(cond, msg) _Static_assert(!(cond), msg)
#define BUILD_BUG_ON(cond)	BUILD_BUG_ON_MSG(cond, "BUILD_BUG_ON failed: " #cond)
#define BUILD_BUG_ON_ZERO(e)	((int)sizeof(struct { int:(-!!(e)); }))
#define BUILD_BUG_ON_NOT_POWER_OF_2(n) \
	BUILD_BUG_ON((n) == 0 || (((n) & ((n) - 1)) != 0))

/* 1 if the macro is defined as 1, as by a CONFIG_ symbol, else 0. */
#define __ARG_PLACEHOLDER_1	0,
#define __take_second_arg(__ignored, val, ...) val
#define ____is_defined(arg1_or_junk) __take_second_arg(arg1_or_junk 1, 0)
#define ___is_defined(val)	____is_defined(__ARG_PLACEHOLDER_##val)
#define __is_defined(x)		___is_defined(x)
#define IS_ENABLED(option)	__is_defined(option)

#define ARRAY_SIZE(a) \
	(sizeof(a) / sizeof((a)[0]) + BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0])))
#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define offsetofend(type, member)	(offsetof(type, member) + sizeof_field(type, member))
#define typeof_member(type, member)	typeof(((type *)0)->member)
/* Computes with a number, because llist_for_each_entry() subtracts from NULL. */
#define container_of(ptr, type, member) ({				\
	uintptr_t __mptr = (uintptr_t)(ptr);				\
	static_assert(__same_type(*(ptr), ((type *)0)->member) ||	\
		      __same_type(*(ptr), void),			\
		      "pointer type mismatch in container_of()");	\
	((type *)(__mptr - offsetof(type, member))); })

/* --- accesses that other threads see, and barriers ---------------------- */

/* Relaxed atomics, because a plain volatile access is a race for TSan. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)

#ifdef HOST_TSAN
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#define data_race(expr) ({						\
	__auto_type __race = (AnnotateIgnoreReadsBegin(__FILE__, __LINE__), \
			      AnnotateIgnoreWritesBegin(__FILE__, __LINE__), (expr)); \
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);			\
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);			\
	__race; })
#else
#define data_race(expr)		({ __auto_type __race = (expr); __race; })
#endif

/* gcc warns that its TSan ignores fences; the fence itself is still emitted. */
#if defined(HOST_TSAN) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static inline void smp_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void smp_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void smp_wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}
#if defined(HOST_TSAN) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#define smp_mb__before_atomic()	smp_mb()
#define smp_mb__after_atomic()	smp_mb()

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ __volatile__("yield" : : : "memory");
#else
	barrier();
#endif
}

static inline void prefetch(const void *p)
{
	__builtin_prefetch(p);
}

static inline void prefetchw(const void *p)
{
	__builtin_prefetch(p, 1);
}

/* --- numbers ----------------------------------------------------------- */

#define __is_constexpr(x) \
	(sizeof(int) == sizeof(*(8 ? ((void *)((long)(x) * 0l)) : (int *)8)))

/* As strict as in 6.1: both sides must have the same type. */
#define __typecheck(x, y)	(!!(sizeof((typeof(x) *)1 == (typeof(y) *)1)))
#define __no_side_effects(x, y)	(__is_constexpr(x) && __is_constexpr(y))
#define __safe_cmp(x, y)	(__typecheck(x, y) && __no_side_effects(x, y))
#define __cmp(x, y, op)		((x) op (y) ? (x) : (y))
#define __cmp_once(x, y, ux, uy, op) ({		\
	typeof(x) ux = (x);			\
	typeof(y) uy = (y);			\
	__cmp(ux, uy, op); })
#ifdef HOST_MCDC	/* one copy of the comparison */
#define __careful_cmp(x, y, op) \
	__cmp_once(x, y, __UNIQUE_ID(__x), __UNIQUE_ID(__y), op)
#else
#define __careful_cmp(x, y, op)						\
	__builtin_choose_expr(__safe_cmp(x, y), __cmp(x, y, op),	\
		__cmp_once(x, y, __UNIQUE_ID(__x), __UNIQUE_ID(__y), op))
#endif
#undef min
#undef max
#define min(x, y)		__careful_cmp(x, y, <)
#define max(x, y)		__careful_cmp(x, y, >)
#define min_t(type, x, y)	__careful_cmp((type)(x), (type)(y), <)
#define max_t(type, x, y)	__careful_cmp((type)(x), (type)(y), >)
#define min3(x, y, z)		min((typeof(x))min(x, y), z)
#define max3(x, y, z)		max((typeof(x))max(x, y), z)
#define clamp(val, lo, hi)	min((typeof(val))max(val, lo), hi)
#define clamp_t(type, val, lo, hi) min_t(type, max_t(type, val, lo), hi)
#define swap(a, b) \
	do { typeof(a) __tmp = (a); (a) = (b); (b) = __tmp; } while (0)

#define BITS_PER_BYTE		8
#define BITS_PER_LONG		(__SIZEOF_LONG__ * 8)
#define BITS_PER_LONG_LONG	64
#define BITS_PER_TYPE(type)	(sizeof(type) * BITS_PER_BYTE)
#define BITS_TO_LONGS(nr)	DIV_ROUND_UP(nr, BITS_PER_LONG)
#define BITS_TO_U64(nr)		DIV_ROUND_UP(nr, 64)
#define BIT(nr)			(1UL << (nr))
#define BIT_ULL(nr)		(1ULL << (nr))
#define BIT_MASK(nr)		(1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr)		((nr) / BITS_PER_LONG)
#define __GENMASK_CHECK(h, l) \
	BUILD_BUG_ON_ZERO(__builtin_choose_expr(__is_constexpr((l) > (h)), (l) > (h), 0))
#define GENMASK(h, l) (__GENMASK_CHECK(h, l) + \
	((~0UL - (1UL << (l)) + 1) & (~0UL >> (BITS_PER_LONG - 1 - (h)))))
#define GENMASK_ULL(h, l) (__GENMASK_CHECK(h, l) + \
	((~0ULL - (1ULL << (l)) + 1) & (~0ULL >> (63 - (h)))))

/* The kernel's page sizes are 4, 16 and 64 KiB, and 256 on some; -DHOST_PAGE_SHIFT= sets it. */
#ifndef HOST_PAGE_SHIFT
#define HOST_PAGE_SHIFT		12
#endif
#define PAGE_SHIFT		HOST_PAGE_SHIFT
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))

#define __round_mask(x, y)	((typeof(x))((y) - 1))
#define round_up(x, y)		((((x) - 1) | __round_mask(x, y)) + 1)
#define round_down(x, y)	((x) & ~__round_mask(x, y))
#define roundup(x, y)		({ typeof(y) __y = y; (((x) + (__y - 1)) / __y) * __y; })
#define rounddown(x, y)		({ typeof(x) __x = (x); __x - (__x % (y)); })
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	((u64)DIV_ROUND_UP((u64)(n), (d)))
#define __ALIGN_MASK(x, mask)	(((x) + (mask)) & ~(mask))
#define ALIGN(x, a)		__ALIGN_MASK(x, (typeof(x))(a) - 1)
#define ALIGN_DOWN(x, a)	ALIGN((x) - ((a) - 1), (a))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a)		((typeof(p))ALIGN((unsigned long)(p), (a)))
#define PTR_ALIGN_DOWN(p, a)	((typeof(p))ALIGN_DOWN((unsigned long)(p), (a)))
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)
#define PAGE_ALIGNED(x)		IS_ALIGNED((unsigned long)(x), PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

/* Undefined for 0, as in the kernel; UBSan says so. */
static __always_inline unsigned long __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

static __always_inline unsigned long __fls(unsigned long word)
{
	return BITS_PER_LONG - 1 - __builtin_clzl(word);
}

static __always_inline unsigned long __ffs64(u64 word)
{
	return __builtin_ctzll(word);
}

static __always_inline unsigned long ffz(unsigned long word)
{
	return __ffs(~word);
}

static __always_inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static __always_inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static __always_inline unsigned int fls_long(unsigned long x)
{
	return fls64(x);
}

static inline unsigned int hweight8(unsigned int w)
{
	return __builtin_popcount(w & 0xff);
}

static inline unsigned int hweight16(unsigned int w)
{
	return __builtin_popcount(w & 0xffff);
}

static inline unsigned int hweight32(unsigned int w)
{
	return __builtin_popcount(w);
}

static inline unsigned long hweight64(u64 w)
{
	return __builtin_popcountll(w);
}

static inline unsigned long hweight_long(unsigned long w)
{
	return __builtin_popcountl(w);
}

static inline bool is_power_of_2(unsigned long n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

#define ilog2(n) \
	__builtin_choose_expr(__is_constexpr(n), \
			      (n) < 2 ? 0 : 63 - __builtin_clzll((n) | 1ULL), \
			      (fls64(n) - 1))
/* Not defined for 0, as in the kernel. */
#define order_base_2(n) \
	__builtin_choose_expr(__is_constexpr(n), \
			      (n) < 2 ? 0 : 64 - __builtin_clzll(((n) - 1ULL) | 1), \
			      host_order_base_2(n))
#define roundup_pow_of_two(n)	(1UL << order_base_2(n))
#define rounddown_pow_of_two(n)	(1UL << ilog2(n))

static inline int host_order_base_2(u64 n)
{
	return n > 1 ? fls64(n - 1) : 0;
}

static inline int get_order(unsigned long size)
{
	return size > PAGE_SIZE ? fls64((size - 1) >> PAGE_SHIFT) : 0;
}

static inline u32 rol32(u32 word, unsigned int shift)
{
	return (word << (shift & 31)) | (word >> ((-shift) & 31));
}

static inline u64 rol64(u64 word, unsigned int shift)
{
	return (word << (shift & 63)) | (word >> ((-shift) & 63));
}

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

static inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *remainder)
{
	*remainder = dividend % divisor;
	return dividend / divisor;
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline s64 div_s64(s64 dividend, s32 divisor)
{
	return dividend / divisor;
}

static inline u64 mul_u32_u32(u32 a, u32 b)
{
	return (u64)a * b;
}

static inline u64 mul_u64_u32_shr(u64 a, u32 mul, unsigned int shift)
{
	return ((unsigned __int128)a * mul) >> shift;
}

static inline u64 mul_u64_u64_shr(u64 a, u64 mul, unsigned int shift)
{
	return ((unsigned __int128)a * mul) >> shift;
}

typedef u16 __bitwise __le16;
typedef u32 __bitwise __le32;
typedef u64 __bitwise __le64;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __le_swap(bits, x)	(x)
#else
#define __le_swap(bits, x)	__builtin_bswap##bits(x)
#endif
#define le16_to_cpu(x)		((u16)__le_swap(16, (__force u16)(x)))
#define le32_to_cpu(x)		((u32)__le_swap(32, (__force u32)(x)))
#define le64_to_cpu(x)		((u64)__le_swap(64, (__force u64)(x)))
#define cpu_to_le16(x)		((__force __le16)__le_swap(16, (u16)(x)))
#define cpu_to_le32(x)		((__force __le32)__le_swap(32, (u32)(x)))
#define cpu_to_le64(x)		((__force __le64)__le_swap(64, (u64)(x)))

#define lower_32_bits(n)	((u32)((n) & 0xffffffff))
#define upper_32_bits(n)	((u32)(((n) >> 16) >> 16))

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

static inline size_t __must_check size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t __must_check size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

#define array_size(a, b)	size_mul(a, b)
#define array3_size(a, b, c)	size_mul(size_mul(a, b), c)
#define flex_array_size(p, member, count) \
	size_mul(count, sizeof(*(p)->member))
#define struct_size(p, member, count) \
	size_add(sizeof(*(p)), flex_array_size(p, member, count))

/* --- errors as pointers ------------------------------------------------- */

#define MAX_ERRNO	4095
#define IS_ERR_VALUE(x)	unlikely((unsigned long)(void *)(x) >= (unsigned long)-MAX_ERRNO)

static inline void * __must_check ERR_PTR(long error)
{
	return (void *)error;
}

static inline long __must_check PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool __must_check IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE((unsigned long)ptr);
}

static inline bool __must_check IS_ERR_OR_NULL(const void *ptr)
{
	return unlikely(!ptr) || IS_ERR(ptr);
}

static inline void * __must_check ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

static inline int __must_check PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

/* --- strings ----------------------------------------------------------- */

__printf(3, 0) int vscnprintf(char *buf, size_t size, const char *fmt, va_list args);
__printf(3, 4) int scnprintf(char *buf, size_t size, const char *fmt, ...);
ssize_t strscpy(char *dest, const char *src, size_t count);
void *memchr_inv(const void *start, int c, size_t bytes);

/* --- the program's end, the log, warnings -------------------------------- */

__printf(1, 2) __noreturn __cold void host_fatal(const char *fmt, ...);
__printf(1, 2) __cold void host_printk(const char *fmt, ...);
__printf(4, 5) __cold void host_warn(const char *file, int line, const char *func,
				     const char *fmt, ...);

#ifndef pr_fmt
#define pr_fmt(fmt) "myalloc: " fmt
#endif
#define pr_emerg(fmt, ...)	host_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...)	host_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)	host_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...)	host_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	host_printk(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_cont(fmt, ...)	host_printk(fmt, ##__VA_ARGS__)
/* Disabled, as in a kernel without DEBUG, but the format is still checked. */
#define pr_debug(fmt, ...) \
	do { if (0) host_printk(pr_fmt(fmt), ##__VA_ARGS__); } while (0)
/* Not limited here: tests check each line. */
#define pr_err_ratelimited	pr_err
#define pr_warn_ratelimited	pr_warn
#define pr_info_ratelimited	pr_info

/* The _ONCE forms warn each time; otherwise only the first of two tests would see the warning. */
#define WARN(cond, fmt...) ({						\
	int __warned = !!(cond);					\
	if (unlikely(__warned))						\
		host_warn(__FILE__, __LINE__, __func__, fmt);		\
	unlikely(__warned); })
#define WARN_ON(cond)		WARN(cond, "%s\n", #cond)
#define WARN_ONCE(cond, fmt...)	WARN(cond, fmt)
#define WARN_ON_ONCE(cond)	WARN_ON(cond)

/* --- CPUs and contexts --------------------------------------------------- */

#define NR_CPUS		512
#define NUMA_NO_NODE	(-1)
#define HOST_MAX_HELD	16
#define HOST_MAX_NEST	8
/* Distance between the copies of a per-CPU variable of two CPUs. */
#ifdef HOST_THREADS
#define HOST_PERCPU_UNIT (64UL << 10)
#else
#define HOST_PERCPU_UNIT (4UL << 20)
#endif

struct host_lock;
struct myalloc_env_print;

#ifdef HOST_THREADS

#include "threads.h"

#else

/* Slow paths are counted for HOST_THREADS only. */
#define host_count_slow()	do { } while (0)

/**
 * struct host_self - a flow of control: a thread, or a function that runs on top of
 *	it on another simulated CPU
 * @offset: from a per-CPU pointer to this CPU's copy
 * @cpu: this CPU's number
 * @pins: number of reasons not to be preemptible: depth of @preempt, and one each for
 *	interrupts off, hard interrupt, NMI
 * @preempt: depth of preempt_disable(), including that of locks
 * @irqs_off: interrupts are disabled
 * @hardirq: depth of hard interrupts
 * @softirq: depth of softirqs, 0 or 1
 * @nmi: depth of NMIs
 * @points: depth of host_preempt_point
 * @cpus_read: depth of myalloc_env_cpus_read_lock()
 * @noio: within myalloc_env_noio_save()
 * @in_reclaim: mutexes held that a task may wait for while it reclaims
 * @prints: queued by myalloc_env_defer_print()
 * @id: identifies it as owner of locks, 0 until it has one
 * @outer: the flow below it
 * @nr_held: number of locks held
 * @held: the locks held
 * @saved: states to restore at the end of each interrupt
 */
struct host_self {
	unsigned long offset;
	unsigned int cpu;
	unsigned int pins;
	unsigned int preempt;
	unsigned int irqs_off;
	unsigned int hardirq;
	unsigned int softirq;
	unsigned int nmi;
	unsigned int points;
	unsigned int cpus_read;
	unsigned int noio;
	unsigned int in_reclaim;
	struct myalloc_env_print *prints;
	u64 id;
	struct host_self *outer;
	unsigned int nr_held;
	struct host_lock *held[HOST_MAX_HELD];
	struct {
		bool irqs_off;
		bool nmi;
		unsigned int preempt;
		unsigned int nr_held;
	} saved[HOST_MAX_NEST];
};

extern __thread struct host_self host_self __attribute__((tls_model("local-exec")));

#endif /* HOST_THREADS */

extern unsigned int host_nr_cpus;
extern void (*host_preempt_point)(const char *where);
extern unsigned int host_point_depth;
extern void (*host_step_hook)(const char *where);
struct myalloc_env_trace;
extern void (*host_trace_hook)(const char *event, const struct myalloc_env_trace *trace);
extern const char *host_trace_only;

void host_preempt_disable(void);
void host_preempt_enable(void);
unsigned long host_irq_save(void);
void host_irq_restore(unsigned long flags);
void host_irq_disable(void);
void host_irq_enable(void);
void host_might_sleep(const char *file, int line);
void host_point(const char *where);
void host_check_pinned(const char *what, const char *file, int line);
bool host_cpu_online(unsigned int cpu);
bool host_trace_wants(const char *event);

static inline bool host_trace_on(const char *event)
{
#ifdef HOST_FAST
	return false;
#else
	return unlikely(READ_ONCE(host_trace_hook)) && host_trace_wants(event);
#endif
}

#define raw_smp_processor_id()	(host_self.cpu)

#ifdef HOST_FAST

#ifdef HOST_THREADS
#define preempt_disable()	host_pin()
#define preempt_enable()	host_unpin()
#define preemptible()		(host_self.pins == 0)
#else
#define preempt_disable()	barrier()
#define preempt_enable()	barrier()
#define preemptible()		true
#endif
#define preempt_enable_no_resched() preempt_enable()
#define preempt_count()		0
#define in_nmi()		false
#define in_hardirq()		false
#define in_serving_softirq()	false
#define in_interrupt()		false
#define in_task()		true
#define irqs_disabled()		(!preemptible())
#define local_irq_save(flags)	do { (flags) = 0; preempt_disable(); } while (0)
#define local_irq_restore(flags) do { (void)(flags); preempt_enable(); } while (0)
#define local_irq_disable()	preempt_disable()
#define local_irq_enable()	preempt_enable()
#define might_sleep()		do { } while (0)
#define HOST_PINNED(what)	((void)0)
#define myalloc_env_point(name)	do { } while (0)
#define myalloc_env_step(name)	do { } while (0)
#define lockdep_assert_irqs_disabled()		do { } while (0)
#define lockdep_assert_irqs_enabled()		do { } while (0)
#define lockdep_assert_preemption_disabled()	do { } while (0)
#define lockdep_assert_preemption_enabled()	do { } while (0)

#else

#define preempt_disable()	host_preempt_disable()
#define preempt_enable()	host_preempt_enable()
#define preempt_enable_no_resched() host_preempt_enable()
#define preempt_count()		((int)host_self.preempt)
#define preemptible()		(host_self.pins == 0)
#define in_nmi()		(host_self.nmi != 0)
#define in_hardirq()		(host_self.hardirq != 0)
#define in_serving_softirq()	(host_self.softirq != 0)
#define in_interrupt()		(in_nmi() || in_hardirq() || in_serving_softirq())
#define in_task()		(!in_interrupt())
#define irqs_disabled()		(host_self.irqs_off != 0)
#define local_irq_save(flags) \
	do { (void)typecheck(unsigned long, flags); (flags) = host_irq_save(); } while (0)
#define local_irq_restore(flags) \
	do { (void)typecheck(unsigned long, flags); host_irq_restore(flags); } while (0)
#define local_irq_disable()	host_irq_disable()
#define local_irq_enable()	host_irq_enable()
#define might_sleep()		host_might_sleep(__FILE__, __LINE__)
#define HOST_PINNED(what) \
	(likely(host_self.pins) ? (void)0 : host_check_pinned(what, __FILE__, __LINE__))
#define myalloc_env_point(name) \
	do { if (unlikely(READ_ONCE(host_preempt_point))) host_point(name); } while (0)
#define myalloc_env_step(name) \
	do { if (unlikely(READ_ONCE(host_step_hook))) host_step_hook(name); } while (0)
#define HOST_ASSERT(cond, what) \
	do { if (unlikely(!(cond))) host_fatal("%s:%d: %s", __FILE__, __LINE__, what); } while (0)
#define lockdep_assert_irqs_disabled() \
	HOST_ASSERT(irqs_disabled(), "interrupts are enabled")
#define lockdep_assert_irqs_enabled() \
	HOST_ASSERT(!irqs_disabled(), "interrupts are disabled")
#define lockdep_assert_preemption_disabled() \
	HOST_ASSERT(!preemptible(), "preemption is enabled")
#define lockdep_assert_preemption_enabled() \
	HOST_ASSERT(preemptible(), "preemption is disabled")

#endif /* HOST_FAST */

#include "env/trace.h"

#define myalloc_env_trace_on(event)	host_trace_on(#event)

#ifdef HOST_FAST	/* nobody listens, and the functions are not linked */
#undef __myalloc_env_trace
#define __myalloc_env_trace(event, ...) \
	((void)sizeof((const struct myalloc_env_trace){ __VA_ARGS__ }))
#endif

/* 0 in a task, 1 in a softirq, 2 in a hard interrupt, 3 in NMI */
static __always_inline unsigned char interrupt_context_level(void)
{
	return in_nmi() + (in_nmi() || in_hardirq()) + in_interrupt();
}

/* There are two nodes, and CPUs belong to them in turn. */
#define numa_node_id()		((int)(host_self.cpu % 2))
#define smp_processor_id()	(HOST_PINNED("smp_processor_id()"), host_self.cpu)
#define get_cpu()		({ preempt_disable(); (int)host_self.cpu; })
#define put_cpu()		preempt_enable()

static inline int cond_resched(void)
{
	might_sleep();
	return 0;
}

#define nr_cpu_ids		host_nr_cpus
#define num_possible_cpus()	host_nr_cpus
#define cpu_possible(cpu)	((unsigned int)(cpu) < host_nr_cpus)
#define cpu_online(cpu)		host_cpu_online(cpu)
#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (unsigned int)(cpu) < host_nr_cpus; (cpu)++)
#define for_each_online_cpu(cpu) \
	for_each_possible_cpu(cpu) if (!cpu_online(cpu)) {} else
unsigned int num_online_cpus(void);

/* --- per-CPU variables --------------------------------------------------- */

void __percpu *__alloc_percpu(size_t size, size_t align);
void free_percpu(void __percpu *ptr);

#define alloc_percpu(type) \
	((typeof(type) __percpu *)__alloc_percpu(sizeof(type), __alignof__(type)))
#define per_cpu_ptr(ptr, cpu) \
	((typeof(ptr))((unsigned long)(ptr) + (unsigned long)(cpu) * HOST_PERCPU_UNIT))
#define raw_cpu_ptr(ptr) \
	((typeof(ptr))((unsigned long)(ptr) + host_self.offset))
#define this_cpu_ptr(ptr)	(HOST_PINNED("this_cpu_ptr()"), raw_cpu_ptr(ptr))

/* --- locks --------------------------------------------------------------- */

/**
 * struct host_lock - the common part of all locks
 * @magic: HOST_LOCK_MAGIC once initialised
 * @seen: contexts in which it was taken, HOST_LOCK_IN_IRQ ...; or HOST_LOCK_IN_RECLAIM
 * @owner: id of the holder, 0 if free
 * @name: for messages
 */
struct host_lock {
	u32 magic;
	u32 seen;
	u64 owner;
	const char *name;
};

typedef struct raw_spinlock {
	struct host_lock host;
} raw_spinlock_t;

struct mutex {
	struct host_lock host;
};

void host_lock_init(struct host_lock *lock, const char *name);
void host_raw_lock(struct host_lock *lock);
bool host_raw_trylock(struct host_lock *lock);
void host_raw_unlock(struct host_lock *lock);
void host_mutex_lock(struct host_lock *lock, const char *file, int line);
bool host_mutex_trylock(struct host_lock *lock);
void host_mutex_unlock(struct host_lock *lock);
void host_lock_destroy(struct host_lock *lock);
void host_assert_held(struct host_lock *lock, bool held, const char *file, int line);

#define raw_spin_lock_init(l)	host_lock_init(&(l)->host, #l)
#define mutex_init(m)		host_lock_init(&(m)->host, #m)
#define mutex_destroy(m)	host_lock_destroy(&(m)->host)

static __always_inline bool raw_spin_is_locked(raw_spinlock_t *lock)
{
	return READ_ONCE(lock->host.owner) != 0;
}

static __always_inline bool mutex_is_locked(struct mutex *lock)
{
	return READ_ONCE(lock->host.owner) != 0;
}

#ifdef HOST_FAST

static __always_inline bool raw_spin_trylock(raw_spinlock_t *lock)
{
	return !READ_ONCE(lock->host.owner) &&
	       !__atomic_exchange_n(&lock->host.owner, 1, __ATOMIC_ACQUIRE);
}

static __always_inline void raw_spin_lock(raw_spinlock_t *lock)
{
	host_count_slow();
	if (unlikely(!raw_spin_trylock(lock)))
		host_raw_lock(&lock->host);
}

static __always_inline void raw_spin_unlock(raw_spinlock_t *lock)
{
	smp_store_release(&lock->host.owner, 0);
}

#define lockdep_assert_held(l)		((void)(l))
#define lockdep_assert_not_held(l)	((void)(l))

#else

#define raw_spin_lock(l)	host_raw_lock(&(l)->host)
#define raw_spin_trylock(l)	host_raw_trylock(&(l)->host)
#define raw_spin_unlock(l)	host_raw_unlock(&(l)->host)
#define lockdep_assert_held(l)	host_assert_held(&(l)->host, true, __FILE__, __LINE__)
#define lockdep_assert_not_held(l) host_assert_held(&(l)->host, false, __FILE__, __LINE__)

#endif /* HOST_FAST */

#define assert_raw_spin_locked(l)	lockdep_assert_held(l)
#define raw_spin_lock_irqsave(l, flags) \
	do { local_irq_save(flags); raw_spin_lock(l); } while (0)
#define raw_spin_unlock_irqrestore(l, flags) \
	do { raw_spin_unlock(l); local_irq_restore(flags); } while (0)
#define raw_spin_trylock_irqsave(l, flags) ({			\
	local_irq_save(flags);					\
	raw_spin_trylock(l) ? 1 : ({ local_irq_restore(flags); 0; }); })
#define raw_spin_lock_irq(l)	do { local_irq_disable(); raw_spin_lock(l); } while (0)
#define raw_spin_unlock_irq(l)	do { raw_spin_unlock(l); local_irq_enable(); } while (0)

#define mutex_lock(m)		host_mutex_lock(&(m)->host, __FILE__, __LINE__)
#define mutex_trylock(m)	host_mutex_trylock(&(m)->host)
#define mutex_unlock(m)		host_mutex_unlock(&(m)->host)

/* --- atomics ------------------------------------------------------------- */

/* Without a suffix: fully ordered if the operation returns a result, otherwise relaxed. */
#define HOST_ATOMIC_ORDERS(op, ...)					\
	op(, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST, __VA_ARGS__)		\
	op(_relaxed, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __VA_ARGS__)	\
	op(_acquire, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE, __VA_ARGS__)	\
	op(_release, __ATOMIC_RELEASE, __ATOMIC_RELAXED, __VA_ARGS__)

#define HOST_ATOMIC_RMW(sfx, order, fail, pfx, type, itype)		\
static __always_inline itype pfx##_add_return##sfx(itype i, type *v)	\
{ return __atomic_add_fetch(&v->counter, i, order); }			\
static __always_inline itype pfx##_sub_return##sfx(itype i, type *v)	\
{ return __atomic_sub_fetch(&v->counter, i, order); }			\
static __always_inline itype pfx##_inc_return##sfx(type *v)		\
{ return __atomic_add_fetch(&v->counter, 1, order); }			\
static __always_inline itype pfx##_dec_return##sfx(type *v)		\
{ return __atomic_sub_fetch(&v->counter, 1, order); }			\
static __always_inline itype pfx##_fetch_add##sfx(itype i, type *v)	\
{ return __atomic_fetch_add(&v->counter, i, order); }			\
static __always_inline itype pfx##_fetch_sub##sfx(itype i, type *v)	\
{ return __atomic_fetch_sub(&v->counter, i, order); }			\
static __always_inline itype pfx##_fetch_or##sfx(itype i, type *v)	\
{ return __atomic_fetch_or(&v->counter, i, order); }			\
static __always_inline itype pfx##_fetch_and##sfx(itype i, type *v)	\
{ return __atomic_fetch_and(&v->counter, i, order); }			\
static __always_inline itype pfx##_xchg##sfx(type *v, itype new)	\
{ return __atomic_exchange_n(&v->counter, new, order); }		\
static __always_inline itype pfx##_cmpxchg##sfx(type *v, itype old, itype new) \
{									\
	__atomic_compare_exchange_n(&v->counter, &old, new, false, order, fail); \
	return old;							\
}									\
static __always_inline bool pfx##_try_cmpxchg##sfx(type *v, itype *old, itype new) \
{ return __atomic_compare_exchange_n(&v->counter, old, new, false, order, fail); }

#define HOST_ATOMIC(pfx, type, itype)					\
typedef struct { itype counter; } type;					\
static __always_inline itype pfx##_read(const type *v)			\
{ return __atomic_load_n(&v->counter, __ATOMIC_RELAXED); }		\
static __always_inline itype pfx##_read_acquire(const type *v)		\
{ return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE); }		\
static __always_inline void pfx##_set(type *v, itype i)			\
{ __atomic_store_n(&v->counter, i, __ATOMIC_RELAXED); }			\
static __always_inline void pfx##_set_release(type *v, itype i)		\
{ __atomic_store_n(&v->counter, i, __ATOMIC_RELEASE); }			\
static __always_inline void pfx##_add(itype i, type *v)			\
{ __atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED); }		\
static __always_inline void pfx##_sub(itype i, type *v)			\
{ __atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED); }		\
static __always_inline void pfx##_inc(type *v)				\
{ __atomic_fetch_add(&v->counter, 1, __ATOMIC_RELAXED); }		\
static __always_inline void pfx##_dec(type *v)				\
{ __atomic_fetch_sub(&v->counter, 1, __ATOMIC_RELAXED); }		\
static __always_inline void pfx##_or(itype i, type *v)			\
{ __atomic_fetch_or(&v->counter, i, __ATOMIC_RELAXED); }		\
static __always_inline void pfx##_and(itype i, type *v)			\
{ __atomic_fetch_and(&v->counter, i, __ATOMIC_RELAXED); }		\
HOST_ATOMIC_ORDERS(HOST_ATOMIC_RMW, pfx, type, itype)			\
static __always_inline bool pfx##_dec_and_test(type *v)			\
{ return pfx##_dec_return(v) == 0; }					\
static __always_inline bool pfx##_inc_and_test(type *v)			\
{ return pfx##_inc_return(v) == 0; }					\
static __always_inline bool pfx##_sub_and_test(itype i, type *v)	\
{ return pfx##_sub_return(i, v) == 0; }					\
static __always_inline bool pfx##_add_unless(type *v, itype a, itype u)	\
{									\
	itype c = pfx##_read(v);					\
	do {								\
		if (c == u)						\
			return false;					\
	} while (!pfx##_try_cmpxchg(v, &c, c + a));			\
	return true;							\
}									\
static __always_inline bool pfx##_inc_not_zero(type *v)			\
{ return pfx##_add_unless(v, 1, 0); }

HOST_ATOMIC(atomic, atomic_t, int)
HOST_ATOMIC(atomic64, atomic64_t, s64)
HOST_ATOMIC(atomic_long, atomic_long_t, long)

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC64_INIT(i)	{ (i) }
#define ATOMIC_LONG_INIT(i)	{ (i) }

#define HOST_CMPXCHG(p, o, n, order, fail) ({				\
	typeof(*(p)) __old = (o);					\
	__atomic_compare_exchange_n((p), &__old, (n), false, order, fail); \
	__old; })
#define cmpxchg(p, o, n)	HOST_CMPXCHG(p, o, n, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define cmpxchg_relaxed(p, o, n) HOST_CMPXCHG(p, o, n, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define cmpxchg_acquire(p, o, n) HOST_CMPXCHG(p, o, n, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define cmpxchg_release(p, o, n) HOST_CMPXCHG(p, o, n, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define cmpxchg64(p, o, n)	cmpxchg(p, o, n)
#define HOST_TRY_CMPXCHG(p, po, n, order, fail) \
	__atomic_compare_exchange_n((p), (po), (n), false, order, fail)
#define try_cmpxchg(p, po, n)	HOST_TRY_CMPXCHG(p, po, n, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define try_cmpxchg_relaxed(p, po, n) \
	HOST_TRY_CMPXCHG(p, po, n, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define try_cmpxchg_acquire(p, po, n) \
	HOST_TRY_CMPXCHG(p, po, n, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define try_cmpxchg_release(p, po, n) \
	HOST_TRY_CMPXCHG(p, po, n, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define xchg(p, v)		__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

/* --- bits in arrays of long ------------------------------------------------ */

static __always_inline bool test_bit(unsigned long nr, const unsigned long *addr)
{
	return READ_ONCE(addr[BIT_WORD(nr)]) & BIT_MASK(nr);
}

static __always_inline void __set_bit(unsigned long nr, unsigned long *addr)
{
	addr[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static __always_inline void __clear_bit(unsigned long nr, unsigned long *addr)
{
	addr[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static __always_inline bool __test_and_set_bit(unsigned long nr, unsigned long *addr)
{
	bool old = addr[BIT_WORD(nr)] & BIT_MASK(nr);

	__set_bit(nr, addr);
	return old;
}

static __always_inline bool __test_and_clear_bit(unsigned long nr, unsigned long *addr)
{
	bool old = addr[BIT_WORD(nr)] & BIT_MASK(nr);

	__clear_bit(nr, addr);
	return old;
}

static __always_inline void set_bit(unsigned long nr, unsigned long *addr)
{
	__atomic_fetch_or(&addr[BIT_WORD(nr)], BIT_MASK(nr), __ATOMIC_RELAXED);
}

static __always_inline void clear_bit(unsigned long nr, unsigned long *addr)
{
	__atomic_fetch_and(&addr[BIT_WORD(nr)], ~BIT_MASK(nr), __ATOMIC_RELAXED);
}

static __always_inline bool test_and_set_bit(unsigned long nr, unsigned long *addr)
{
	return __atomic_fetch_or(&addr[BIT_WORD(nr)], BIT_MASK(nr), __ATOMIC_SEQ_CST) &
	       BIT_MASK(nr);
}

static __always_inline bool test_and_clear_bit(unsigned long nr, unsigned long *addr)
{
	return __atomic_fetch_and(&addr[BIT_WORD(nr)], ~BIT_MASK(nr), __ATOMIC_SEQ_CST) &
	       BIT_MASK(nr);
}

/* --- lists ----------------------------------------------------------------- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_POISON1	((void *)0x100)
#define LIST_POISON2	((void *)0x122)
#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name)	struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	WRITE_ONCE(list->next, list);
	list->prev = list;
}

/* Checked as with DEBUG_LIST, but a corrupt list ends the program. */
static inline void __list_add(struct list_head *new, struct list_head *prev,
			      struct list_head *next)
{
	if (unlikely(next->prev != prev || prev->next != next ||
		     new == prev || new == next))
		host_fatal("list_add: corrupt list, or added twice");
	next->prev = new;
	new->next = next;
	new->prev = prev;
	WRITE_ONCE(prev->next, new);
}

static inline void list_add(struct list_head *new, struct list_head *head)
{
	__list_add(new, head, head->next);
}

static inline void list_add_tail(struct list_head *new, struct list_head *head)
{
	__list_add(new, head->prev, head);
}

static inline void __list_del_entry(struct list_head *entry)
{
	struct list_head *prev = entry->prev, *next = entry->next;

	if (unlikely((void *)next == LIST_POISON1 || (void *)prev == LIST_POISON2))
		host_fatal("list_del: deleted twice");
	if (unlikely(prev->next != entry || next->prev != entry))
		host_fatal("list_del: corrupt list");
	next->prev = prev;
	WRITE_ONCE(prev->next, next);
}

static inline void list_del(struct list_head *entry)
{
	__list_del_entry(entry);
	entry->next = LIST_POISON1;
	entry->prev = LIST_POISON2;
}

static inline void list_del_init(struct list_head *entry)
{
	__list_del_entry(entry);
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *list, struct list_head *head)
{
	__list_del_entry(list);
	list_add(list, head);
}

static inline void list_move_tail(struct list_head *list, struct list_head *head)
{
	__list_del_entry(list);
	list_add_tail(list, head);
}

static inline int list_empty(const struct list_head *head)
{
	return READ_ONCE(head->next) == head;
}

static inline int list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

static inline int list_is_first(const struct list_head *list, const struct list_head *head)
{
	return list->prev == head;
}

static inline int list_is_last(const struct list_head *list, const struct list_head *head)
{
	return list->next == head;
}

static inline int list_is_head(const struct list_head *list, const struct list_head *head)
{
	return list == head;
}

static inline void __list_splice(const struct list_head *list, struct list_head *prev,
				 struct list_head *next)
{
	struct list_head *first = list->next, *last = list->prev;

	first->prev = prev;
	prev->next = first;
	last->next = next;
	next->prev = last;
}

static inline void list_splice(const struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		__list_splice(list, head, head->next);
}

static inline void list_splice_tail(const struct list_head *list, struct list_head *head)
{
	if (!list_empty(list))
		__list_splice(list, head->prev, head);
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	list_splice(list, head);
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
	list_splice_tail(list, head);
	INIT_LIST_HEAD(list);
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first_entry(ptr, type, member) list_entry((ptr)->next, type, member)
#define list_last_entry(ptr, type, member) list_entry((ptr)->prev, type, member)
#define list_first_entry_or_null(ptr, type, member) \
	(list_empty(ptr) ? NULL : list_first_entry(ptr, type, member))
#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, typeof(*(pos)), member)
#define list_prev_entry(pos, member) \
	list_entry((pos)->member.prev, typeof(*(pos)), member)
/* Compares numbers: after the last entry pos points to no entry and may be misaligned. */
#define list_entry_is_head(pos, head, member) \
	((uintptr_t)(pos) + offsetof(typeof(*(pos)), member) == (uintptr_t)(head))
#define list_for_each(pos, head) \
	for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_safe(pos, n, head) \
	for (pos = (head)->next, n = pos->next; pos != (head); pos = n, n = pos->next)
#define list_for_each_entry(pos, head, member)				\
	for (pos = list_first_entry(head, typeof(*pos), member);	\
	     !list_entry_is_head(pos, head, member);			\
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, head, member)			\
	for (pos = list_last_entry(head, typeof(*pos), member);		\
	     !list_entry_is_head(pos, head, member);			\
	     pos = list_prev_entry(pos, member))
#define list_for_each_entry_continue(pos, head, member)			\
	for (pos = list_next_entry(pos, member);			\
	     !list_entry_is_head(pos, head, member);			\
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member)			\
	for (pos = list_first_entry(head, typeof(*pos), member),	\
	     n = list_next_entry(pos, member);				\
	     !list_entry_is_head(pos, head, member);			\
	     pos = n, n = list_next_entry(n, member))

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

#define LLIST_HEAD_INIT(name)	{ NULL }
#define LLIST_HEAD(name)	struct llist_head name = LLIST_HEAD_INIT(name)

static inline void init_llist_head(struct llist_head *list)
{
	WRITE_ONCE(list->first, NULL);
}

static inline bool llist_empty(const struct llist_head *head)
{
	return READ_ONCE(head->first) == NULL;
}

static inline struct llist_node *llist_next(struct llist_node *node)
{
	return node->next;
}

static inline bool llist_add_batch(struct llist_node *new_first,
				   struct llist_node *new_last, struct llist_head *head)
{
	struct llist_node *first = READ_ONCE(head->first);

	do {
		new_last->next = first;
	} while (!try_cmpxchg(&head->first, &first, new_first));
	return !first;
}

static inline bool llist_add(struct llist_node *new, struct llist_head *head)
{
	return llist_add_batch(new, new, head);
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return xchg(&head->first, NULL);
}

/* Only one consumer may run at a time. */
static inline struct llist_node *llist_del_first(struct llist_head *head)
{
	struct llist_node *entry = smp_load_acquire(&head->first);

	do {
		if (!entry)
			return NULL;
	} while (!try_cmpxchg(&head->first, &entry, READ_ONCE(entry->next)));
	return entry;
}

static inline struct llist_node *llist_reverse_order(struct llist_node *head)
{
	struct llist_node *new_head = NULL;

	while (head) {
		struct llist_node *tmp = head;

		head = head->next;
		tmp->next = new_head;
		new_head = tmp;
	}
	return new_head;
}

#define llist_entry(ptr, type, member)	container_of(ptr, type, member)
#define llist_for_each(pos, node) \
	for ((pos) = (node); pos; (pos) = (pos)->next)
#define llist_for_each_safe(pos, n, node) \
	for ((pos) = (node); (pos) && ((n) = (pos)->next, true); (pos) = (n))
#define member_address_is_nonnull(ptr, member) \
	((uintptr_t)(ptr) + offsetof(typeof(*(ptr)), member) != 0)
#define llist_for_each_entry(pos, node, member)				\
	for ((pos) = llist_entry((node), typeof(*(pos)), member);	\
	     member_address_is_nonnull(pos, member);			\
	     (pos) = llist_entry((pos)->member.next, typeof(*(pos)), member))
#define llist_for_each_entry_safe(pos, n, node, member)			\
	for (pos = llist_entry((node), typeof(*pos), member);		\
	     member_address_is_nonnull(pos, member) &&			\
	     (n = llist_entry(pos->member.next, typeof(*n), member), true); \
	     pos = n)

/* --- what the kernel version of env.h adds ---------------------------------- */

#define MYALLOC_ENV_STACK_DEPTH 16u
#define MYALLOC_ENV_STACK_OWN	8u

/* Deferred work, which runs when a test calls host_work_run(). */
struct myalloc_env_work {
	void (*fn)(struct myalloc_env_work *work);
	unsigned long posted;	/* 0, or 1 plus the milliseconds after which it is to run */
};

static inline void myalloc_env_work_init(struct myalloc_env_work *w,
					 void (*fn)(struct myalloc_env_work *work))
{
	w->fn = fn;
	w->posted = 0;
}

#ifdef HOST_THREADS
void myalloc_env_work_post(struct myalloc_env_work *w, unsigned int ms);
#else
static inline void myalloc_env_work_post(struct myalloc_env_work *w, unsigned int ms)
{
	unsigned long posted = READ_ONCE(w->posted), want = 1 + ms;

	do {
		if (posted && posted <= want && ms)
			return;
	} while (!try_cmpxchg(&w->posted, &posted, want));
}
#endif

static inline void myalloc_env_work_stop(struct myalloc_env_work *w)
{
	might_sleep();
	WRITE_ONCE(w->posted, 0);
}

/* Run the function if it is queued. Returns whether it was. */
static inline bool host_work_run(struct myalloc_env_work *w)
{
	might_sleep();
	if (!xchg(&w->posted, 0))
		return false;
	w->fn(w);
	return true;
}

bool myalloc_env_should_fail(void);
#ifdef HOST_FAST
#define myalloc_env_may_wait()		true
#define myalloc_env_might_wait()	do { } while (0)
#else
bool myalloc_env_may_wait(void);
void myalloc_env_might_wait(void);
#endif
bool myalloc_env_fatal_signal(void);
void *myalloc_env_zalloc(size_t size, int node);
/* The host has no cgroups, and counts the bytes. */
#ifdef HOST_FAST
#define myalloc_env_zalloc_charged(size, node)	myalloc_env_zalloc(size, node)
#else
void *myalloc_env_zalloc_charged(size_t size, int node);
extern u64 host_charged;
#endif
void myalloc_env_free(const void *ptr);
void __percpu *myalloc_env_alloc_percpu(size_t size, size_t align);
void myalloc_env_free_percpu(void __percpu *ptr);
int myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg);
#ifdef HOST_FAST
#define myalloc_env_may_reclaim()	true
#define myalloc_env_noio_save()		0
#define myalloc_env_noio_restore(flags)	((void)(flags))
#define myalloc_env_mutex_in_reclaim(mutex)	do { } while (0)
#define myalloc_env_cpus_read_trylock()	(myalloc_env_cpus_read_lock(), true)
#else
bool myalloc_env_may_reclaim(void);
unsigned int myalloc_env_noio_save(void);
void myalloc_env_noio_restore(unsigned int flags);
void myalloc_env_mutex_in_reclaim(struct mutex *mutex);
bool myalloc_env_cpus_read_trylock(void);
#endif
void myalloc_env_cpus_read_lock(void);
void myalloc_env_cpus_read_unlock(void);
void host_gp_set_next(u64 moment);
void host_gp_hold(bool on);
u64 myalloc_env_gp_snapshot(void);
u64 myalloc_env_gp_start(void);
bool myalloc_env_gp_passed(u64 moment);
void myalloc_env_gp_wait(void);
void myalloc_env_nap(void);
int myalloc_env_stack_init(void);
u32 myalloc_env_stack_save(unsigned long caller);
unsigned long myalloc_env_stack_first(u32 handle);
int myalloc_env_stack_format(u32 handle, char *buf, size_t size);
void myalloc_env_stack_print(u32 handle);
int myalloc_env_symbol(char *buf, size_t size, unsigned long ip);
u32 myalloc_env_pid(void);

#define MYALLOC_ENV_WHO	64

void myalloc_env_who(char *buf, size_t size);

/* Buffer size for the name of a code address; longer names are truncated. */
#define MYALLOC_ENV_SYMBOL	512

/* Runs as a hard interrupt of this CPU as soon as interrupts are enabled. */
struct myalloc_env_print {
	struct myalloc_env_print *next;
	void (*fn)(struct myalloc_env_print *print);
	bool queued;
	unsigned int running;
};

void myalloc_env_print_init(struct myalloc_env_print *print,
			    void (*fn)(struct myalloc_env_print *print));
void myalloc_env_defer_print(struct myalloc_env_print *print);
void myalloc_env_print_sync(struct myalloc_env_print *print);

/* The same for another purpose, and on PREEMPT_RT a hard interrupt too. */
struct myalloc_env_kick {
	struct myalloc_env_print print;
	void (*fn)(struct myalloc_env_kick *kick);
};

static inline void myalloc_env_kick_now(struct myalloc_env_print *print)
{
	struct myalloc_env_kick *kick = container_of(print, struct myalloc_env_kick, print);

	kick->fn(kick);
}

static inline void myalloc_env_kick_init(struct myalloc_env_kick *kick,
					 void (*fn)(struct myalloc_env_kick *kick))
{
	kick->fn = fn;
	myalloc_env_print_init(&kick->print, myalloc_env_kick_now);
}

static inline void myalloc_env_kick_queue(struct myalloc_env_kick *kick)
{
	myalloc_env_defer_print(&kick->print);
}

static inline void myalloc_env_kick_sync(struct myalloc_env_kick *kick)
{
	myalloc_env_print_sync(&kick->print);
}

bool myalloc_env_ratelimit(void);
u64 myalloc_env_now_ns(void);
u64 myalloc_env_seed(void);
u32 myalloc_env_random(void);
bool myalloc_env_page_referenced(const void *addr);
bool myalloc_env_page_bad(const void *addr);
bool myalloc_env_can_map_twice(void);
void *myalloc_env_map_twice(void *const *blocks, u32 nr, size_t size);
void myalloc_env_unmap_twice(void *map, void *const *blocks, u32 nr, size_t size);

/* Like the kernel's env.h, but by ASan. */
#define MYALLOC_ENV_GRANULE	8

enum myalloc_env_poison {
	MYALLOC_ENV_FREE_PAGE,
	MYALLOC_ENV_FREE_OBJECT,
	MYALLOC_ENV_REDZONE,
};

#ifdef HOST_ASAN

#define MYALLOC_ENV_SHADOW	1
#define __no_sanitize_address	__attribute__((no_sanitize("address")))

void __asan_poison_memory_region(void const volatile *addr, size_t size);
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
int __asan_address_is_poisoned(void const volatile *addr);

/* Any access to this memory is an error until it is unpoisoned. */
static inline void myalloc_env_poison(const void *addr, size_t size)
{
	__asan_poison_memory_region(addr, size);
}

static inline void myalloc_env_unpoison(const void *addr, size_t size)
{
	__asan_unpoison_memory_region(addr, size);
}

static inline bool myalloc_env_is_poisoned(const void *addr)
{
	return __asan_address_is_poisoned(addr);
}

void myalloc_env_raw_memset(void *addr, int c, size_t size);
const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size);
u8 myalloc_env_raw_byte(const void *addr);

#else

#define MYALLOC_ENV_SHADOW	0
#define __no_sanitize_address

static inline void myalloc_env_poison(const void *addr, size_t size)
{
}

static inline void myalloc_env_unpoison(const void *addr, size_t size)
{
}

static inline bool myalloc_env_is_poisoned(const void *addr)
{
	return false;
}

static inline void myalloc_env_raw_memset(void *addr, int c, size_t size)
{
	memset(addr, c, size);
}

static inline const void *myalloc_env_raw_memchr_inv(const void *addr, int c, size_t size)
{
	return memchr_inv(addr, c, size);
}

static inline u8 myalloc_env_raw_byte(const void *addr)
{
	return *(const u8 *)addr;
}

#endif /* HOST_ASAN */

static inline void myalloc_env_poison_as(const void *addr, size_t size,
					 enum myalloc_env_poison as)
{
	myalloc_env_poison(addr, size);
}

/* Unpoison memory that a test will access although it is free or beside an object. */
static inline void *host_touch(const void *addr, size_t size)
{
	const char *begin = PTR_ALIGN_DOWN((char *)addr, MYALLOC_ENV_GRANULE);

	myalloc_env_unpoison(begin, ALIGN((char *)addr + size - begin, MYALLOC_ENV_GRANULE));
	return (void *)addr;
}

/* --- for tests ---------------------------------------------------------------- */

/* CPUs. */
void host_set_nr_cpus(unsigned int nr);
void host_set_cpu(unsigned int cpu);
void host_cpu_set_online(unsigned int cpu, bool online);
void host_cpus_change(bool begin);
void host_run_on_cpu(unsigned int cpu, void (*fn)(void *arg), void *arg);

/* Interrupts: code between enter and exit runs in one. */
void host_enter_hardirq(void);
void host_exit_hardirq(void);
void host_enter_softirq(void);
void host_exit_softirq(void);
void host_enter_nmi(void);
void host_exit_nmi(void);

/* Behave like a kernel without sleep checks: myalloc_env_might_wait() does nothing. */
void host_unchecked_wait(bool on);

/* The task was killed, or has not been. */
void host_set_fatal_signal(bool on);

/* Injected failures. */
void host_fail_after(unsigned long k);
unsigned long host_fail_calls(void);
bool host_fail_fired(void);

/* Memory. */
unsigned long host_live_allocs(void);
unsigned long host_live_bytes(void);
unsigned long host_live_chunks(void);
void host_live_dump(void);
void *host_chunk_alloc(unsigned int order);
void host_chunk_free(void *chunk, unsigned int order);
void host_page_set_referenced(const void *addr, bool referenced);
void host_page_set_bad(const void *addr, bool bad);
void host_set_aliasing(bool on);

/* The log. */
void host_log_reset(void);
bool host_log_contains(const char *needle);
unsigned int host_log_count(const char *needle);
const char *host_log_text(void);
void host_log_echo(bool on);
unsigned long host_warn_count(void);
void host_expect_warns(unsigned long nr);

/* Time and random numbers. */
void host_set_clock(u64 ns);
void host_set_seed(u64 seed);
void host_set_ratelimit(bool on);

/* Everything else. */
unsigned int host_locks_held(void);
void host_reset(void);
void host_abandon(void);
const char *host_check_clean(void);
bool host_dies(void (*fn)(void *arg), void *arg, const char *message);
extern void (*host_on_fatal)(void);

#endif /* MYALLOC_ENV_H */
