/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of the deferred frees of zone.c and slab.c
 *
 * NMIs processes free blocks that users have, past the lock: the block is DEFERRING,
 * nr_deferred grows, the block is linked, and is DEFERRED. HOLDERS processes take the lock in turn, ROUNDS times
 * each, and allocate a free block, take one off the list, or do what a drain ends with: if the
 * list is empty and nr_deferred is not 0, recover what a damaged link has cut off by its states.
 * Once at any moment, somebody may write to a block that is in the list.
 *
 * Property: every freed block comes back exactly once; none is linked that is not a freed one
 * on its way, or is linked already; damage is reported only if there was some. When all is quiet,
 * two more drains bring everything back.
 *
 * What each step is for, and the variant without it:
 *	-DNO_DEFERRING	DEFERRED before it is linked: recovered and linked
 *	-DTAKE_DEFERRING who takes blocks off the list takes those that are DEFERRING, too, and the
 *			last step is a compare-exchange: it may hit the state that a later free of
 *			the same block has given it, which is then recovered and linked
 *	-DONE_PASS	recovery empties the list and takes what is DEFERRED: also what was
 *			linked after the list was emptied, and is still in it
 *
 * An llist is only pushed to, and emptied as a whole, so llist_add() is one step here.
 *
 * Limits: sequentially consistent memory; a damaged link leads nowhere (to anything else it is
 * noticed in the same way, or never, if it is that of another block on its way).
 */
#define BLOCKS	2
#define NMIS	2
#define HOLDERS	2
#define ROUNDS	3
#define NONE	254
#define BAD	255

mtype = { FREE, USER, DEFERRING, DEFERRED, RECOVERING };

mtype state[BLOCKS] = USER;
byte next[BLOCKS] = NONE;
byte first = NONE;	/* of the list */
byte chain = NONE;	/* deferred_chain */
byte nr_deferred;
bool locked;
/* For the property only. */
bool freed[BLOCKS];	/* by the user, and not come back */
bool linked[BLOCKS];
bool damaged;
byte done;

inline give(b)
{
	d_step {
		assert(freed[b]);
		freed[b] = false;
		nr_deferred--;
		state[b] = FREE
	}
}

inline report()
{
	assert(damaged);
	chain = NONE
}

inline reap()
{
	if
	:: chain == NONE -> d_step { chain = first; first = NONE }
	:: chain != NONE
	fi;
	if
	:: chain == NONE
	:: chain == BAD -> report()
	:: chain < BLOCKS ->
		seen = state[chain];
		if
#ifdef TAKE_DEFERRING
		:: seen == DEFERRING || seen == DEFERRED ->
#else
		:: seen == DEFERRING	/* later */
		:: seen == DEFERRED ->
#endif
			d_step {
				b = chain;
				linked[b] = false;
				chain = next[b]
			}
			give(b)
		:: seen != DEFERRING && seen != DEFERRED -> report()
		fi
	fi
}

inline empty_list()
{
	atomic {
		chain = NONE;
		first = NONE;
		for (b : 0 .. BLOCKS - 1) {
			linked[b] = false
		}
		b = 0
	}
}

inline recover()
{
#ifdef ONE_PASS
	empty_list();
#else
	for (b : 0 .. BLOCKS - 1) {
		if
		:: state[b] == DEFERRED -> state[b] = RECOVERING
		:: else
		fi
	}
	empty_list();
#endif
	for (b : 0 .. BLOCKS - 1) {
		if
#ifdef ONE_PASS
		:: state[b] == DEFERRED -> give(b)
#else
		:: state[b] == RECOVERING -> give(b)
#endif
		:: else
		fi
	}
}

inline end_of_drain()
{
	if
	:: chain == NONE && first == NONE ->
		if
		:: nr_deferred -> recover()
		:: !nr_deferred
		fi
	:: else
	fi
}

inline allocate()
{
	b = 0;
	do
	:: b < BLOCKS && state[b] == FREE ->
		d_step {
			assert(!linked[b]);
			state[b] = USER
		}
		break
	:: b < BLOCKS && state[b] != FREE -> b++
	:: b == BLOCKS -> break
	od
}

proctype holder()
{
	byte rounds, b;
	mtype seen;

	do
	:: rounds < ROUNDS ->
		atomic { !locked; locked = true }
		if
		:: reap()
		:: end_of_drain()
		:: allocate()
		fi;
		atomic { b = 0; seen = 0; rounds++; locked = false }
	:: rounds == ROUNDS -> break
	od;
	done++
}

proctype nmi()
{
	byte b;

	if
	:: b = 0
	:: b = 1
	:: goto end
	fi;
	/* The user's own. Two frees of one block at once are another matter. */
	atomic {
		if
		:: state[b] == USER && !freed[b] -> freed[b] = true
		:: else -> goto end
		fi
	}
#ifdef NO_DEFERRING
	state[b] = DEFERRED;
#else
	state[b] = DEFERRING;
#endif
	nr_deferred++;
	d_step {
		assert(freed[b] && !linked[b]);
		linked[b] = true;
		next[b] = first;
		first = b
	}
#ifdef NO_DEFERRING
#elif defined(TAKE_DEFERRING)
	d_step {
		if
		:: state[b] == DEFERRING -> state[b] = DEFERRED
		:: else
		fi
	}
#else
	state[b] = DEFERRED;
#endif
end:
	done++
}

/* A write after free. */
proctype damage()
{
	if
	:: d_step { linked[0] -> next[0] = BAD; damaged = true }
	:: d_step { linked[1] -> next[1] = BAD; damaged = true }
	:: done == NMIS + HOLDERS
	fi
}

init
{
	byte i, b;
	mtype seen;

	atomic {
		for (i : 1 .. NMIS) {
			run nmi()
		}
		for (i : 1 .. HOLDERS) {
			run holder()
		}
		run damage()
	}
	done == NMIS + HOLDERS;
	for (i : 1 .. 2) {
		do
		:: chain != NONE || first != NONE -> reap()
		:: else -> break
		od;
		end_of_drain()
	}
	assert(nr_deferred == 0);
	for (i : 0 .. BLOCKS - 1) {
		assert(!freed[i])
	}
}
