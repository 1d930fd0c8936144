/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of frees of the same object at once, and of a slab that leaves (slab.c)
 *
 * One slab with two objects, two CPUs with a magazine each. Object 1 is freed by both CPUs and,
 * if NMIS is 1, by an NMI on CPU 0: at most one of these frees is right. After that each CPU allocates,
 * frees what it has, and flushes, in any order. Object 2 is never freed wrongly. A releaser takes
 * the slab out of the cache whenever its count of slots in use is 0: the tag becomes LIMBO, the
 * epoch grows, a grace period passes, and the slots are counted again under the lock. Then the pages
 * go to another user, who may write anything to them, or the cache makes a slab of them again.
 *
 * A section is what runs with preemption off; a grace period waits for those that have begun.
 * What is done under the lock is done step by step: states are written without it.
 *
 * Property: nobody writes to a state, bit or count after the memory has gone to another user.
 * Object 2 never has two users, and its frees are accepted. inuse always equals the number of bits
 * that are set. No slab leaves while the state of a slot says that it is in use. With -DCERTAIN no
 * object has two users, and of several frees one is accepted.
 *
 * The levels: none (default), -DCERTAIN, -DTRUSTING. The flaws:
 *	-DNO_LIMBO	the tag stays until the pages go
 *	-DNO_EPOCH	the epoch stays
 *	-DEPOCH_FIRST	the epoch grows before the tag is LIMBO: a CPU looks up its slots in
 *			between, and trusts them in the new epoch
 *	-DLOOK_FIRST	the slow path of a free looks its object up, and then brings the magazine
 *			to the present epoch and gives it there: it was looked up before that epoch
 *	-DNO_GRACE	no grace period
 *	-DNO_RECOUNT	the first count is trusted
 *	-DNO_LOOKUP	filled slots of an older epoch are trusted
 *	-DNO_CLAIM	certain, with a load and a store
 *	-DNO_BIT	a slot that is given back counts as out because its state says so
 *
 * Each is a flaw at the default and the trusting level. At the certain level the property holds
 * with EPOCH_FIRST, NO_RECOUNT, NO_LOOKUP and NO_BIT: these are for a second free that was accepted,
 * which there is none of.
 *
 * Limits: sequentially consistent memory; one magazine a CPU (load() and room(): guard.pml); the
 * list of deferred frees: defer.pml, a deferred free stays deferred here.
 */
#define CAPACITY 2
#define NONE	0
#define BUSY	0

#ifndef OPS
#define OPS	1
#endif
#ifndef NMIS
#define NMIS	1
#endif

#define SLAB	1	/* tags */
#define LIMBO	2
#define OTHER	3

#define FREE	0	/* states */
#define CACHED	1
#define LIVE	2
#define MOVING	3
#define DEFERRED 4

typedef percpu {
	byte guard;
	byte epoch;
	byte top;
	byte slot[CAPACITY]	/* those at and above top are used ones */
};

byte tag = SLAB;
byte state[3];
bool out[3];
byte inuse;
byte epoch = 1;
bool locked;
bool listed = true;
bool theirs;		/* the pages are somebody else's */
percpu cpu[2];
bool section[3];	/* of CPU 0, CPU 1, the NMI */
bool before[3];		/* of these, those that a grace period waits for */
bool level;		/* the NMI runs on CPU 0 */
/* For the property only. */
byte users[3];
byte finished;

inline set_state(t, v)
{
	d_step {
		assert(!theirs);
		state[t] = v
	}
}

/* A free is accepted here: the user has it no more. */
inline set_freed(t, v)
{
	d_step {
		assert(!theirs);
		state[t] = v;
#if defined(CERTAIN)
		assert(users[t] > 0);
#endif
		if
		:: users[t] > 0 -> users[t]--
		:: else
		fi;
		took = true
	}
}

inline set_live(t)
{
	d_step {
		assert(!theirs);
		state[t] = LIVE;
		users[t]++;
#ifdef CERTAIN
		assert(users[t] == 1);
#endif
		assert(t != 2 || users[t] == 1);
		mine = t
	}
}

inline preempt_off() { section[me] = true }
inline preempt_on() { d_step { section[me] = false; before[me] = false } }
inline lock() { atomic { !locked -> locked = true } }

inline unlock()
{
	d_step {
		assert(inuse == out[1] + out[2]);
		locked = false
	}
}

/* Lock held. */
inline give(t)
{
	if
#ifdef NO_BIT
	:: true ->
#else
	:: out[t] ->
#endif
		set_state(t, FREE);
		d_step {
			assert(!theirs && inuse > 0);
			out[t] = false;
			inuse--
		}
#ifndef NO_BIT
	:: !out[t] -> set_state(t, FREE)	/* a duplicate: reported */
#endif
	fi
}

/* Of an older epoch: looks up what is filled, wipes what was used. */
inline renew()
{
	now = epoch;
	if
	:: cpu[c].epoch != now ->
		at = cpu[c].top;
		do
		:: at < CAPACITY -> cpu[c].slot[at] = NONE; at++
		:: else -> break
		od;
#ifndef NO_LOOKUP
		at = 0;
		do
		:: at < cpu[c].top ->
			found = tag;
			if
			:: found == SLAB -> look = state[cpu[c].slot[at]]
			:: else -> look = FREE
			fi;
			if
			:: look == CACHED -> at++
			:: else ->	/* reported and dropped */
				d_step {
					cpu[c].top--;
					cpu[c].slot[at] = cpu[c].slot[cpu[c].top];
					cpu[c].slot[cpu[c].top] = NONE
				}
			fi
		:: else -> break
		od;
#endif
		cpu[c].epoch = now
	:: else
	fi
}

inline begin()
{
	now = cpu[c].guard;
	in = (now == epoch);
	if
	:: in -> cpu[c].guard = BUSY
	:: else
	fi
}

inline enter()
{
	in = (cpu[c].guard != BUSY);
	if
	:: in -> cpu[c].guard = BUSY; renew()
	:: else
	fi
}

inline leave() { cpu[c].guard = cpu[c].epoch }

/* The user's object goes into the magazine, if it is LIVE as far as this level looks. */
inline claim_cached()
{
#if defined(CERTAIN) && !defined(NO_CLAIM)
	atomic {
		if
		:: state[thing] == LIVE -> set_freed(thing, CACHED)
		:: else
		fi
	}
#else
#ifdef TRUSTING
	look = LIVE;
#else
	look = state[thing];
#endif
	if
	:: look == LIVE -> set_freed(thing, CACHED)
	:: else
	fi
#endif
}

inline push()
{
	cpu[c].slot[cpu[c].top] = thing;
	cpu[c].top++
}

inline free_fast()
{
	begin();
	if
	:: in ->
		if
		:: cpu[c].top == CAPACITY
		:: cpu[c].top < CAPACITY ->
			if
			:: cpu[c].slot[cpu[c].top] == thing -> found = SLAB
			:: else -> found = tag
			fi;
			if
			:: found == SLAB -> claim_cached()
			:: else
			fi;
			if
			:: took -> push()
			:: else
			fi
		fi;
		leave()
	:: else
	fi
}

/* The top one goes back to its slab. */
inline flush_one()
{
	lock();
	cpu[c].top--;
	at = cpu[c].slot[cpu[c].top];
	look = state[at];
	if
	:: look == CACHED -> give(at)
	:: else			/* reported */
	fi;
	unlock()
}

/* Past the magazine. */
inline free_slab(in_nmi)
{
	atomic {
		if
		:: state[thing] == LIVE -> set_freed(thing, MOVING)
		:: else
		fi
	}
	if
	:: took ->
		if
		:: lock() -> give(thing); unlock()
		:: in_nmi && locked -> set_state(thing, DEFERRED)
		fi
	:: else
	fi
}

/* found is SLAB if thing may be freed, as far as this level looks. */
inline look_up()
{
	found = tag;	/* LIMBO: nothing is out; reported under the lock */
#ifndef TRUSTING
	if
	:: found == SLAB ->
		look = state[thing];
		if
		:: look == LIVE
		:: else -> found = OTHER
		fi
	:: else
	fi
#endif
}

inline free_slow(in_nmi)
{
#ifdef LOOK_FIRST
	look_up();
#endif
	enter();
	if
	:: in ->
		if
		:: cpu[c].top == CAPACITY && !in_nmi -> flush_one()
		:: else
		fi;
		if
		:: cpu[c].top < CAPACITY ->
#ifndef LOOK_FIRST
			look_up();
#endif
			if
			:: found == SLAB -> claim_cached()
			:: else
			fi;
			if
			:: took -> push()
			:: else
			fi;
			leave()
		:: else ->
			leave();
			in = false
		fi
	:: else
	fi;
	if
	:: !in ->
#ifndef LOOK_FIRST
		look_up();
#endif
		if
		:: found == SLAB -> free_slab(in_nmi)
		:: else
		fi
	:: else
	fi
}

/* Frees thing; took says whether that was accepted. */
inline free(in_nmi)
{
	took = false;
	preempt_off();
	free_fast();
	if
	:: !took -> free_slow(in_nmi)
	:: else
	fi;
	preempt_on();
	d_step { at = 0; now = 0; look = 0; found = 0; in = false }
}

inline take_top()
{
	at = cpu[c].slot[cpu[c].top - 1];
	look = state[at];
	if
	:: look == CACHED ->
		set_live(at);
		cpu[c].top--
	:: else
	fi
}

/* Lock held. The lowest that is not out; one whose state is not FREE is reported. */
inline refill()
{
	at = 1;
	do
	:: at <= 2 && listed && !out[at] ->
		look = state[at];
		if
		:: look == FREE ->
			set_state(at, CACHED);
			d_step {
				assert(!theirs);
				out[at] = true;
				inuse++;
				cpu[c].slot[cpu[c].top] = at;
				cpu[c].top++
			}
			break
		:: else -> at++
		fi
	:: at <= 2 && listed && out[at] -> at++
	:: else -> break
	od
}

inline alloc()
{
	preempt_off();
	begin();
	if
	:: in ->
		if
		:: cpu[c].top > 0 -> take_top()
		:: else
		fi;
		leave()
	:: else
	fi;
	if
	:: mine == NONE ->
		enter();
		if
		:: in ->
			do
			:: cpu[c].top > 0 && mine == NONE ->
				take_top();
				if
				:: mine == NONE -> cpu[c].top--		/* reported */
				:: else
				fi
			:: else -> break
			od;
			if
			:: mine == NONE ->
				lock();
				refill();
				unlock();
				if
				:: cpu[c].top > 0 -> take_top()
				:: else
				fi
			:: else
			fi;
			leave()
		:: else
		fi
	:: else
	fi;
	preempt_on();
	d_step { at = 0; now = 0; look = 0; found = 0; in = false }
}

inline flush()
{
	preempt_off();
	enter();
	if
	:: in ->
		do
		:: cpu[c].top > 0 -> flush_one()
		:: else -> break
		od;
		leave()
	:: else
	fi;
	preempt_on();
	d_step { at = 0; now = 0; look = 0; found = 0; in = false }
}

inline operate()
{
	if
	:: mine == NONE -> alloc()
	:: mine != NONE ->
		thing = mine;
		free(false);
		d_step {
			assert(mine != 2 || took);
			mine = NONE;
			thing = NONE;
			took = false
		}
	:: flush()
	fi
}

inline be_cpu()
{
	thing = 1;
	free(false);
	d_step { thing = NONE; took = false };
	do
	:: ops < OPS -> operate(); ops++
	:: break
	od;
	finished++
}

/* Two processes: while an NMI runs on the first CPU, only its task waits. */
proctype first() provided (!level)
{
	byte me = 0, c = 0;
	byte ops, thing, mine, at, now, look, found;
	bool in, took;

	be_cpu()
}

proctype other()
{
	byte me = 1, c = 1;
	byte ops, thing, mine, at, now, look, found;
	bool in, took;

	be_cpu()
}

proctype nmi()
{
	byte me = 2, c = 0;
	byte thing, at, now, look, found;
	bool in, took;

	if
	:: level = true; thing = 1; free(true); level = false
	:: true
	fi;
	finished++
}

inline grace_period()
{
	d_step { before[0] = section[0]; before[1] = section[1]; before[2] = section[2] }
	!before[0] && !before[1] && !before[2]
}

proctype releaser()
{
	byte look;

	do
	:: atomic { !locked && listed && inuse == 0 -> locked = true };
		listed = false;
#ifdef EPOCH_FIRST
		epoch++;
#endif
#ifndef NO_LIMBO
		tag = LIMBO;
#endif
#if !defined(NO_EPOCH) && !defined(EPOCH_FIRST)
		epoch++;
#endif
		unlock();
#ifndef NO_GRACE
		grace_period();
#endif
		lock();
		look = FREE;
#ifndef NO_RECOUNT
		if
		:: state[1] != FREE -> look = LIVE
		:: else
		fi;
		if
		:: state[2] != FREE -> look = LIVE
		:: else
		fi;
		if
		:: out[1] || out[2] -> look = LIVE
		:: else
		fi;
#endif
		if
		:: look == FREE ->
			d_step {
				assert(state[1] == FREE && state[2] == FREE);
				tag = OTHER;
				theirs = true
			}
			unlock();
			if
			:: d_step { state[1] = LIVE; state[2] = LIVE }; break
			:: d_step { state[1] = CACHED; state[2] = CACHED }; break
			:: lock();
				d_step {
					theirs = false;
					state[1] = FREE;
					state[2] = FREE;
					tag = SLAB;
					listed = true
				}
				unlock();
				break
			fi
		:: else ->		/* reported */
			d_step { tag = SLAB; listed = true }
			unlock();
			if
			:: epoch < 3
			:: epoch >= 3 -> break
			fi
		fi
	:: finished == 3 -> break
	od
}

init
{
	atomic {
		state[1] = LIVE;
		out[1] = true;
		users[1] = 1;
		inuse = 1;
		cpu[0].guard = 1;
		cpu[0].epoch = 1;
		cpu[1].guard = 1;
		cpu[1].epoch = 1;
		run releaser();
		run first();
		run other();
#if NMIS
		run nmi()
#else
		finished++
#endif
	}
}
