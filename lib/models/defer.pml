/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of deferred.c
 *
 * NMIS processes free blocks that users have, past the lock: the block is DEFERRING, nr grows,
 * the block is linked, and is DEFERRED. The lock is taken ROUNDS times; it does not matter by
 * whom. Each time the holder may allocate a free block, take one off the list, or take a
 * step of a recovery, which begins if the list is empty and nr is not 0. Each step looks at one
 * block and releases the lock, which deferred.c does less often. Once, at any moment, a stray write
 * may hit a block that is in the list.
 *
 * Property: every freed block comes back exactly once. Only freed blocks are linked, and each only
 * once at a time. Damage is reported only if there was some. When all is quiet, one more drain brings
 * everything back.
 *
 * What each step is for, and the variant without it:
 *	-DNO_DEFERRING	DEFERRED before it is linked: recovered and linked
 *	-DTAKE_DEFERRING the reaper takes blocks that are DEFERRING off the list, too, and the
 *			last step is a compare-exchange: it may hit the state that a later free of
 *			the same block has given it, which is then recovered and linked
 *	-DONE_PASS	no marks: recovery empties the list and takes all DEFERRED blocks, also those
 *			that were linked after the list was emptied, and are still in it
 *	-DEMPTY_FIRST	the list is emptied before the marks: a block that was linked since is
 *			marked and freed, and still in the list
 *	-DREFUSE_MARKED	the reaper takes a marked block for damage
 *	-DONE_ROUND	a drain that finds a recovery under way does not begin another one
 *
 * An llist is only pushed to, and emptied as a whole, so llist_add() is one step here.
 *
 * Limits: sequentially consistent memory; a damaged link leads nowhere (to anything else it is
 * noticed in the same way, or never, if it is that of another block on its way).
 */
#define BLOCKS	2
#define NMIS	2
#define HOLDERS	1
#define ROUNDS	12
#define NONE	254
#define BAD	255

mtype = { FREE, USER, DEFERRING, DEFERRED, RECOVERING, NO, MARKING, FREEING };

mtype state[BLOCKS] = USER;
byte next[BLOCKS] = NONE;
byte first = NONE;	/* of the list */
byte chain = NONE;
byte nr;
mtype recovery = NO;
byte place;		/* where the recovery is */
byte ended;		/* recoveries, modulo 4 */
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
		nr--;
		state[b] = FREE
	}
}

inline report()
{
	assert(damaged);
	chain = NONE
}

#ifdef REFUSE_MARKED
#define may_free(seen)	(seen == DEFERRED)
#else
#define may_free(seen)	(seen == DEFERRED || (seen == RECOVERING && recovery == MARKING))
#endif

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
		:: seen == DEFERRING || may_free(seen) ->
#else
		:: seen == DEFERRING	/* later */
		:: may_free(seen) ->
#endif
			d_step {
				b = chain;
				linked[b] = false;
				chain = next[b]
			}
			give(b)
		:: seen != DEFERRING && !may_free(seen) -> report()
		fi
	fi
}

inline empty_list()
{
	d_step {
		chain = NONE;
		first = NONE;
		for (b : 0 .. BLOCKS - 1) {
			linked[b] = false
		}
		b = 0
	}
}

/* One look of a recovery, or its change to the next pass; recover_some() in deferred.c. */
inline recover()
{
	if
	:: recovery != NO && nr == 0 ->
		d_step { recovery = NO; place = 0; ended = (ended + 1) % 4 }
	:: recovery == NO ->
#ifdef EMPTY_FIRST
		empty_list();
#endif
#ifdef ONE_PASS
		empty_list();
		recovery = FREEING
#else
		recovery = MARKING
#endif
	:: nr && recovery == MARKING && place < BLOCKS ->
		if
		:: state[place] == DEFERRED -> state[place] = RECOVERING
		:: else
		fi;
		place++
	:: nr && recovery == MARKING && place == BLOCKS ->
#ifndef EMPTY_FIRST
		empty_list();
#endif
		d_step { recovery = FREEING; place = 0 }
	:: nr && recovery == FREEING && place < BLOCKS ->
		if
#ifdef ONE_PASS
		:: state[place] == DEFERRED -> give(place)
#else
		:: state[place] == RECOVERING -> give(place)
#endif
		:: else
		fi;
		place++
	:: nr && recovery == FREEING && place == BLOCKS ->
		d_step { recovery = NO; place = 0; ended = (ended + 1) % 4 }
	fi
}

inline step_of_drain()
{
	if
	:: recovery != NO || (nr && chain == NONE && first == NONE) -> recover()
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
		:: step_of_drain()
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
	nr++;
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
	byte i, b, rounds, last;
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
	do
	:: chain != NONE || first != NONE -> reap()
	:: else -> break
	od;
#ifdef ONE_ROUND
	rounds = 1;
#else
	rounds = 1 + (recovery != NO);
#endif
	last = ended;
	do
	:: (nr || recovery != NO) && rounds ->
		recover();
		if
		:: ended != last -> d_step { last = ended; rounds-- }
		:: else
		fi
	:: else -> break
	od
	assert(nr == 0);
	for (i : 0 .. BLOCKS - 1) {
		assert(!freed[i])
	}
}
