// SPDX-License-Identifier: GPL-2.0
/* Tests of fronts: names, walks, validation, and a zone that has some. */
#include "env.h"

#include <kunit/test.h>

#include "fixture.h"
#include "zone/front.h"

struct book {
	struct myalloc_front front;
	bool damaged;
};

static void validate_book(struct myalloc_front *front, struct myalloc_validation *v)
{
	if (container_of(front, struct book, front)->damaged)
		myalloc_finding(v, "book %s, number %llu, is damaged", front->name,
				(unsigned long long)front->id);
}

static const struct myalloc_front_kind book_kind = {
	.name = "book", .name_size = 6, .validate = validate_book,
};

static const struct myalloc_front_kind film_kind = {
	.name = "film", .name_size = MYALLOC_FRONT_NAME,
};

static struct fixture *small_zone(struct kunit *test)
{
	const struct fixture_args args = { .nr_pages = 40, .chunk_order = 4 };

	return fixture_zone(test, &args);
}

/* A name is checked, and unique among the fronts of a kind. */
static void front_names(struct kunit *test)
{
	static const char * const wrong[] = { NULL, "", "a/b", "..", "sixsix" };
	const char *longest = "31-characters-are-the-most-here";
	struct fixture *fx = small_zone(test);
	struct myalloc_front a = { }, b = { }, c = { };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		fixture_log_mark();
		KUNIT_EXPECT_EQ(test, myalloc_front_add(fx->zone, &a, &book_kind, wrong[i]),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, fixture_log_count("the name of a new book must have 1 to 5 "),
				1);
	}
	KUNIT_EXPECT_EQ(test, myalloc_front_add(fx->zone, &a, &book_kind, "fives"), 0);
	KUNIT_EXPECT_STREQ(test, a.name, "fives");
	KUNIT_EXPECT_PTR_EQ(test, a.zone, fx->zone);
	KUNIT_EXPECT_PTR_EQ(test, a.kind, &book_kind);
	fixture_log_mark();
	KUNIT_EXPECT_EQ(test, myalloc_front_add(fx->zone, &b, &book_kind, "fives"), -EEXIST);
	KUNIT_EXPECT_EQ(test, fixture_log_count("fives: the name is already used by another book"),
			1);
	KUNIT_EXPECT_EQ(test, myalloc_front_add(fx->zone, &b, &film_kind, "fives"), 0);
	KUNIT_EXPECT_EQ(test, myalloc_front_add(fx->zone, &c, &film_kind, longest), 0);
	KUNIT_EXPECT_STREQ(test, c.name, longest);
	myalloc_front_remove(&c);
	/* The name is free again, the number is not. */
	myalloc_front_remove(&a);
	KUNIT_EXPECT_EQ(test, myalloc_front_add(fx->zone, &a, &book_kind, "fives"), 0);
	KUNIT_EXPECT_EQ(test, a.id, 4);
	myalloc_front_remove(&a);
	myalloc_front_remove(&b);
}

struct visits {
	const struct myalloc_front *front[4];
	u32 nr;
	u32 most;
};

static bool visit(struct myalloc_front *front, void *arg)
{
	struct visits *v = arg;

	v->front[v->nr++] = front;
	return v->nr < v->most;
}

/* A walk visits the fronts of one kind, or all, in order of number, until it is stopped. */
static void front_walk(struct kunit *test)
{
	static const char * const names[] = { "a", "b", "c" };
	struct fixture *fx = small_zone(test);
	struct myalloc_front f[3] = { };
	struct visits v = { .most = 4 };
	u32 i;

	myalloc_front_walk(fx->zone, NULL, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 0);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, myalloc_front_add(fx->zone, &f[i],
							i == 1 ? &film_kind : &book_kind,
							names[i]), 0);
	myalloc_front_walk(fx->zone, NULL, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_PTR_EQ(test, v.front[i], &f[i]);
	v = (struct visits){ .most = 4 };
	myalloc_front_walk(fx->zone, &book_kind, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 2);
	KUNIT_EXPECT_PTR_EQ(test, v.front[1], &f[2]);
	v = (struct visits){ .most = 2 };
	myalloc_front_walk(fx->zone, NULL, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 2);
	v = (struct visits){ .most = 1 };
	myalloc_front_walk(fx->zone, &book_kind, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 1);
	KUNIT_EXPECT_PTR_EQ(test, v.front[0], &f[0]);
	/* A walk from a number on, which may no longer exist. */
	v = (struct visits){ .most = 4 };
	myalloc_front_walk_from(fx->zone, &book_kind, f[1].id, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 1);
	KUNIT_EXPECT_PTR_EQ(test, v.front[0], &f[2]);
	v = (struct visits){ .most = 4 };
	myalloc_front_walk_from(fx->zone, NULL, f[2].id + 1, visit, &v);
	KUNIT_EXPECT_EQ(test, v.nr, 0);
	KUNIT_EXPECT_PTR_EQ(test, myalloc_front_first(fx->zone), &f[0]);
	for (i = 0; i < 3; i++)
		myalloc_front_remove(&f[i]);
	KUNIT_EXPECT_NULL(test, myalloc_front_first(fx->zone));
}

/* Changes made in the middle of a walk. */
static struct {
	struct fixture *fx;
	struct myalloc_front *gone, *new;
	struct visits inner;
	const struct myalloc_front *first;
	u32 points;
	int err;
} between;

static void change_fronts(const char *where)
{
	if (strcmp(where, "fronts-between") || between.points++)
		return;
	between.err = mutex_trylock(&between.fx->zone->fronts_mutex) ? 0 : -EBUSY;
	if (between.err)
		return;
	mutex_unlock(&between.fx->zone->fronts_mutex);
	between.first = myalloc_front_first(between.fx->zone);
	myalloc_front_walk(between.fx->zone, NULL, visit, &between.inner);
	myalloc_front_remove(between.gone);
	between.err = myalloc_front_add(between.fx->zone, between.new, &film_kind, "new");
}

/* Fronts come and go between two visits; the walk goes on with those it began with. */
static void front_walk_between(struct kunit *test)
{
	static const char * const names[] = { "a", "b", "c" };
	struct fixture *fx = small_zone(test);
	struct myalloc_front f[3] = { }, new = { };
	struct visits v = { .most = 4 };
	u32 i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, myalloc_front_add(fx->zone, &f[i], &book_kind, names[i]), 0);
	between.fx = fx;
	between.gone = &f[1];
	between.new = &new;
	between.inner = (struct visits){ .most = 4 };
	between.points = 0;
	if (fixture_set_hook(change_fronts)) {
		myalloc_front_walk(fx->zone, NULL, visit, &v);
		fixture_set_hook(NULL);
		KUNIT_EXPECT_EQ(test, between.err, 0);
		KUNIT_EXPECT_EQ(test, between.points, 2);
		/* Other walks do not mistake the walk's place in the list for a front. */
		KUNIT_EXPECT_PTR_EQ(test, between.first, &f[0]);
		KUNIT_EXPECT_EQ(test, between.inner.nr, 3);
		KUNIT_EXPECT_EQ(test, v.nr, 2);
		KUNIT_EXPECT_PTR_EQ(test, v.front[0], &f[0]);
		KUNIT_EXPECT_PTR_EQ(test, v.front[1], &f[2]);
		myalloc_front_remove(&new);
	} else {
		myalloc_front_remove(&f[1]);
	}
	myalloc_front_remove(&f[0]);
	myalloc_front_remove(&f[2]);
}

/* Validation calls each kind that has a check. */
static void front_validate(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct book a = { }, b = { };
	struct myalloc_front film = { };

	KUNIT_ASSERT_EQ(test, myalloc_front_add(fx->zone, &a.front, &book_kind, "a"), 0);
	KUNIT_ASSERT_EQ(test, myalloc_front_add(fx->zone, &film, &film_kind, "f"), 0);
	KUNIT_ASSERT_EQ(test, myalloc_front_add(fx->zone, &b.front, &book_kind, "b"), 0);
	FIXTURE_EXPECT_VALID(fx);
	b.damaged = true;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, fx->v.errors, 1);
	KUNIT_EXPECT_STREQ(test, fx->v.first, "book b, number 3, is damaged");
	a.damaged = true;
	KUNIT_EXPECT_FALSE(test, fixture_valid(fx));
	KUNIT_EXPECT_EQ(test, fx->v.errors, 2);
	KUNIT_EXPECT_STREQ(test, fx->v.first, "book a, number 1, is damaged");
	myalloc_front_remove(&a.front);
	myalloc_front_remove(&b.front);
	myalloc_front_remove(&film);
	FIXTURE_EXPECT_VALID(fx);
}

/* A zone with a front is not destroyed. */
static void front_zone_destroy(struct kunit *test)
{
	struct fixture *fx = small_zone(test);
	struct myalloc_front front = { };

	KUNIT_ASSERT_EQ(test, myalloc_front_add(fx->zone, &front, &film_kind, "left-over"), 0);
	KUNIT_EXPECT_EQ(test, myalloc_zone_destroy(fx->zone), -EBUSY);
	KUNIT_EXPECT_STREQ(test, fixture_report(fx),
			   "cannot be destroyed: film left-over still exists");
	FIXTURE_EXPECT_VALID(fx);
	myalloc_front_remove(&front);
}

static struct kunit_case front_cases[] = {
	KUNIT_CASE(front_names),
	KUNIT_CASE(front_walk),
	KUNIT_CASE(front_walk_between),
	KUNIT_CASE(front_validate),
	KUNIT_CASE(front_zone_destroy),
	{}
};

static struct kunit_suite front_suite = {
	.name = "myalloc_front",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = front_cases,
};

kunit_test_suite(front_suite);
