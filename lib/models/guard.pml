/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of the per-CPU guard and of stale slots (magazine.[ch]): a task, an interrupt and an NMI
 * on one CPU, while another CPU gives slabs back
 *
 * Two magazines, a loaded one and a previous one, each with an epoch. A task takes and gives: fast,
 * between myalloc_magazines_begin() and end(), or slow, between enter() and leave(), where load()
 * and room() let the magazines change places, or past them. At any point a hard interrupt may come
 * in and do the same, or drain, and run to its end before the task goes on; an NMI may interrupt
 * either. Nothing else is atomic. A slot that was emptied still holds the address of its last thing
 * and of that thing's state. The other CPU takes a thing whose slab is free, begins a new epoch, and
 * rebuilds the slab, so that the state moves.
 *
 * Property: each thing is in exactly one place. A take never returns a thing that is in use. A stale
 * slot is trusted only while its state is where it says. At the end the magazines hold exactly the
 * things that nobody uses.
 *
 * What each step is for, and the variant without it:
 *	-DGUARD_LATE	top is read before the guard is busy
 *	-DNO_CHECK	an interrupt does not look at the guard
 *	-DNO_EPOCH	slabs go and the epoch stays
 *	-DNO_WIPE	the first operation of a new epoch does not wipe stale slots
 *	-DLAZY		code that loads an older magazine leaves the wiping to the next operation. If
 *			an interrupt does so between the check of the guard and BUSY, the interrupted
 *			operation, which has seen the present epoch, trusts the older magazine
 *	-DGUARD_OLD	likewise, and the guard is restored to the value that was read: all later
 *			operations trust the older magazine, too
 * Variants that hold: -DWIDE, one magazine of two slots in place of two of one; -DSTALE, two
 * magazines of two slots, the loaded one full, the previous one empty and of the epoch before. Its
 * upper slot is stale: the task has that thing, the interrupt another one. The flaws of load() and
 * room() are shown there.
 *
 * Limits: no depot (depot.pml), where previous magazines only wait longer; sequentially consistent
 * memory, as a CPU sees its own accesses, and epochs change under the lock of the slabs.
 */
#ifdef GUARD_OLD
#define LAZY
#endif
#ifdef LAZY
#define STALE
#endif
#ifdef STALE
#define MAGAZINES 2
#define SLOTS	2
#define THINGS	4
#define TASK_OPS 2
#else
#ifdef WIDE
#define MAGAZINES 1
#define SLOTS	2
#else
#define MAGAZINES 2
#define SLOTS	1
#endif
#define THINGS	2
#define TASK_OPS 5
#endif
#define IRQS	1	/* each with one operation */
#define NMIS	1
#define RELEASES 1
#define NONE	0	/* things are 1 to THINGS */
#define BUSY	255

typedef magazine {
	byte count;			/* while it is not the loaded one */
	byte epoch;			/* likewise */
	byte slot[SLOTS];		/* thing */
	byte slot_state[SLOTS]		/* where its state was */
};

byte epoch, guard, cpu_epoch;
byte top;
byte loaded;				/* the other one is the previous */
magazine mag[MAGAZINES];
byte state_at[5];	/* where it is */
/* For the property: IN_MAGAZINE, level + 1: with who runs there, IN_SLAB, GONE: being made anew. */
byte place[5];
byte level;		/* 0: the task runs, 1: the interrupt, 2: the NMI */
byte done;

#define IN_MAGAZINE	0
#define IN_SLAB		9
#define GONE		8

inline begin()
{
#ifdef GUARD_LATE
	at = top;
#endif
	before = guard;
#ifdef NO_CHECK
	before = cpu_epoch;
	in = true;
#else
	in = (before == epoch);
#endif
	if
	:: in ->
		guard = BUSY;
#ifndef GUARD_LATE
		at = top;
#endif
	:: else
	fi
}

#ifdef GUARD_OLD
inline end() { guard = before }
#else
inline end() { guard = cpu_epoch }
#endif

inline renew()
{
	before = epoch;
	if
	:: cpu_epoch != before ->
#ifndef NO_WIPE
		at = top;
		do
		:: at < SLOTS -> mag[loaded].slot[at] = NONE; at++
		:: at == SLOTS -> break
		od;
#endif
		cpu_epoch = before
	:: else
	fi
}

/* load() and room(): the previous one is the other one and as it should be. */
inline swap()
{
	mag[loaded].count = top;
	mag[loaded].epoch = cpu_epoch;
	loaded = 1 - loaded;
	cpu_epoch = mag[loaded].epoch;
	top = mag[loaded].count;
#ifndef LAZY
	renew();
#endif
	at = top
}

inline enter()
{
#ifdef NO_CHECK
	in = true;
#else
	in = (guard != BUSY);
#endif
	if
	:: in ->
		guard = BUSY;
		renew();
		at = top
	:: else
	fi
}

inline leave() { guard = cpu_epoch }

inline take_top()
{
	thing = mag[loaded].slot[at - 1];
	d_step {
		assert(thing != NONE && place[thing] == IN_MAGAZINE);
		place[thing] = me + 1
	}
	top = at - 1
}

inline take()
{
	begin();
	if
	:: in ->
		if
		:: at > 0 -> take_top()
		:: at == 0
		fi;
		end()
	:: else
	fi;
	if
	:: thing == NONE ->
		enter();
		if
		:: in ->
			if
			:: MAGAZINES == 2 && at == 0 && mag[1 - loaded].count == SLOTS -> swap()
			:: else
			fi;
			if
			:: at > 0 -> take_top()
			:: at == 0
			fi;
			leave()
		:: else
		fi
	:: else
	fi;
	/* Past the magazine. */
	atomic {
		if
		:: thing == NONE && place[1] == IN_SLAB -> thing = 1; place[1] = me + 1
		:: thing == NONE && place[2] == IN_SLAB -> thing = 2; place[2] = me + 1
		:: thing == NONE && place[3] == IN_SLAB -> thing = 3; place[3] = me + 1
		:: thing == NONE && place[4] == IN_SLAB -> thing = 4; place[4] = me + 1
		:: else
		fi
	}
}

inline fill_top()
{
	mag[loaded].slot[at] = thing;
	mag[loaded].slot_state[at] = state_at[thing];
	d_step {
		assert(place[thing] == me + 1);
		place[thing] = IN_MAGAZINE;
		thing = NONE
	}
	top = at + 1
}

inline give()
{
	begin();
	if
	:: in ->
		if
		:: at < SLOTS ->
			if
			:: mag[loaded].slot[at] == thing ->
				assert(mag[loaded].slot_state[at] == state_at[thing])
			:: else
			fi;
			fill_top()
		:: at == SLOTS
		fi;
		end()
	:: else
	fi;
	if
	:: thing != NONE ->
		enter();
		if
		:: in ->
			if
			:: MAGAZINES == 2 && at == SLOTS && mag[1 - loaded].count == 0 -> swap()
			:: else
			fi;
			if
			:: at < SLOTS -> fill_top()
			:: at == SLOTS
			fi;
			leave()
		:: else
		fi
	:: else
	fi;
	/* Past the magazine. */
	atomic {
		if
		:: thing != NONE -> place[thing] = IN_SLAB; thing = NONE
		:: else
		fi
	}
}

/* At most SLOTS things of one magazine. */
inline drain_from(m)
{
	do
	:: at > 0 ->
		at--;
		d_step {
			assert(place[mag[m].slot[at]] == IN_MAGAZINE);
			place[mag[m].slot[at]] = IN_SLAB
		}
	:: else -> break
	od
}

/* The inter-processor interrupt of myalloc_magazines_drain(). */
inline drain()
{
	enter();
	if
	:: in ->
		drain_from(loaded);
		top = 0;
		if
		:: MAGAZINES == 2 ->
			at = mag[1 - loaded].count;
			drain_from(1 - loaded);
			mag[1 - loaded].count = 0
		:: else
		fi;
		leave()
	:: else			/* sent again */
	fi
}

inline operate()
{
	if
	:: thing == NONE -> take()
	:: thing != NONE -> give()
	:: me == 1 && thing == NONE -> drain()
	fi;
	atomic { at = 0; in = false; before = 0 }
}

proctype task() provided (level == 0)
{
	byte ops, at, thing, before, me;
	bool in;

#ifdef STALE
	thing = 3;
#endif
	do
	:: ops < TASK_OPS -> operate(); ops++
	:: ops == TASK_OPS -> break
	od;
	done++
}

/* Comes in where nothing of its level or above runs; what it interrupted waits. */
inline interrupt(my_level, times)
{
	me = my_level;
	do
	:: ops < times ->
		atomic { level < me; below = level; level = me };
		operate();
		atomic { level = below; below = 0; ops++ }
	:: break
	od;
	done++
}

proctype irq() provided (level <= 1)
{
	byte at, thing, before, below, ops, me;
	bool in;

#ifdef STALE
	thing = 4;
#endif
	interrupt(1, IRQS)
}

proctype nmi()
{
	byte at, thing, before, below, ops, me;
	bool in;

	interrupt(2, NMIS)
}

/* Another CPU: a slab goes back to the zone, and a new one is made there. */
proctype release()
{
	byte times, thing;

	do
	:: times < RELEASES ->
		if
		:: atomic { place[1] == IN_SLAB -> place[1] = GONE; thing = 1 }
		:: atomic { place[2] == IN_SLAB -> place[2] = GONE; thing = 2 }
		:: atomic { place[3] == IN_SLAB -> place[3] = GONE; thing = 3 }
		:: atomic { place[4] == IN_SLAB -> place[4] = GONE; thing = 4 }
		:: done >= 3 -> break
		fi;
#ifndef NO_EPOCH
		epoch++;
#endif
		d_step { state_at[thing]++; place[thing] = IN_SLAB; times++ }
	:: break
	od;
	done++
}

init
{
	byte i, k;
	bool seen[5];

	atomic {
#ifdef STALE
		epoch = 1;
		guard = 1;
		cpu_epoch = 1;
		top = 2;
		mag[0].slot[0] = 1;
		mag[0].slot[1] = 2;
		mag[1].slot[1] = 3;
		state_at[3] = 1;
		place[3] = 1;		/* the task's */
		place[4] = 2;		/* the interrupt's */
#else
		top = 1;
		mag[0].slot[0] = 1;
		place[2] = IN_SLAB;
		place[3] = GONE;
		place[4] = GONE;
#endif
		run irq();
		run nmi();
		run task();
		run release()
	}
	d_step {
		done == 4;
		assert(guard != BUSY && top <= SLOTS);
		mag[loaded].count = top;
		for (k : 0 .. MAGAZINES - 1) {
			i = 0;
			do
			:: i < mag[k].count ->
				assert(!seen[mag[k].slot[i]]);
				assert(place[mag[k].slot[i]] == IN_MAGAZINE);
				assert(mag[k].slot_state[i] == state_at[mag[k].slot[i]]);
				seen[mag[k].slot[i]] = true;
				i++
			:: else -> break
			od
		}
		for (i : 1 .. THINGS) {
			assert(seen[i] == (place[i] == IN_MAGAZINE))
		}
	}
}
