/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of the per-CPU guard and of used slots (magazine.[ch]): a task, an interrupt and an NMI
 * on one CPU, and on another one somebody who gives slabs back
 *
 * One magazine. A task gets and puts: fast, between myalloc_magazines_begin() and end(), or slow,
 * between enter() and leave(), or past the magazine. At any point a hard interrupt may come in and
 * do the same, or drain, and run to its end before the task goes on; and an NMI into either.
 * Nothing else is atomic. A slot that was emptied still says what was in it and where that thing's
 * state was. The other CPU takes a thing that is in its slab, begins a new era, and makes
 * its slab anew: the state is elsewhere now.
 *
 * Property: each thing is in exactly one place. A get never returns what somebody has; what
 * a used slot says is believed only while it is so; in the end the magazine holds exactly what it
 * is to hold.
 *
 * The flaws: -DGUARD_LATE: top is read before the guard is busy; -DNO_CHECK: an interrupt does
 * not look at the guard; -DNO_ERA: slabs go and the era stays; -DNO_WIPE: the first in a new era
 * does not wipe used slots.
 *
 * Limits: one magazine, so what load() and room() do is not here; sequentially consistent memory,
 * which a CPU is to itself, and eras are changed under the lock that slabs are.
 */
#define SLOTS	2
#define THINGS	2
#define TASK_OPS 5
#define IRQS	1	/* each with one operation */
#define NMIS	1
#define RELEASES 1
#define NONE	0	/* things are 1 to THINGS */
#define BUSY	255

byte era, guard, cpu_era;
byte top;
byte slot[SLOTS];		/* thing */
byte slot_state[SLOTS];		/* where its state was */
byte state_at[THINGS + 1];	/* where it is */
/* For the property: IN_MAGAZINE, level + 1: with who runs there, IN_SLAB, GONE: being made anew. */
byte place[THINGS + 1];
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
	before = cpu_era;
	in = true;
#else
	in = (before == era);
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

inline end() { guard = before }

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
		before = era;
		if
		:: cpu_era != before ->
#ifndef NO_WIPE
			at = top;
			do
			:: at < SLOTS -> slot[at] = NONE; at++
			:: at == SLOTS -> break
			od;
#endif
			cpu_era = before
		:: else
		fi;
		at = top
	:: else
	fi
}

inline leave() { guard = cpu_era }

inline take_top()
{
	thing = slot[at - 1];
	d_step {
		assert(thing != NONE && place[thing] == IN_MAGAZINE);
		place[thing] = me + 1
	}
	top = at - 1
}

inline get()
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
		:: else
		fi
	}
}

inline fill_top()
{
	slot[at] = thing;
	slot_state[at] = state_at[thing];
	d_step {
		assert(place[thing] == me + 1);
		place[thing] = IN_MAGAZINE;
		thing = NONE
	}
	top = at + 1
}

inline put()
{
	begin();
	if
	:: in ->
		if
		:: at < SLOTS ->
			if
			:: slot[at] == thing -> assert(slot_state[at] == state_at[thing])
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

/* The inter-processor interrupt of myalloc_magazines_drain(). */
inline drain()
{
	enter();
	if
	:: in ->
		do
		:: at > 0 ->
			at--;
			d_step {
				assert(place[slot[at]] == IN_MAGAZINE);
				place[slot[at]] = IN_SLAB
			}
		:: else -> break
		od;
		top = 0;
		leave()
	:: else			/* sent again */
	fi
}

inline operate()
{
	if
	:: thing == NONE -> get()
	:: thing != NONE -> put()
	:: me == 1 && thing == NONE -> drain()
	fi;
	atomic { at = 0; in = false; before = 0 }
}

proctype task() provided (level == 0)
{
	byte ops, at, thing, before, me;
	bool in;

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
		:: done >= 3 -> break
		fi;
#ifndef NO_ERA
		era++;
#endif
		d_step { state_at[thing]++; place[thing] = IN_SLAB; times++ }
	:: break
	od;
	done++
}

init
{
	byte i;
	bool seen[THINGS + 1];

	atomic {
		top = 1;
		slot[0] = 1;
		place[2] = IN_SLAB;
		run irq();
		run nmi();
		run task();
		run release()
	}
	d_step {
		done == 4;
		assert(guard != BUSY && top <= SLOTS);
		i = 0;
		do
		:: i < top ->
			assert(!seen[slot[i]] && place[slot[i]] == IN_MAGAZINE);
			assert(slot_state[i] == state_at[slot[i]]);
			seen[slot[i]] = true;
			i++
		:: else -> break
		od;
		for (i : 1 .. THINGS) {
			assert(seen[i] == (place[i] == IN_MAGAZINE))
		}
	}
}
