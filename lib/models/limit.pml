/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of the stacks that a line of a contract keeps for NMI handlers (limit.c)
 *
 * One CPU has a stack of E words, each a block or nothing. An NMI allocates or frees a block, any
 * number of times; if a task of another CPU has the lock, it takes from the stack, or its free is
 * deferred, and it requests the interrupt that completes E deferred frees and fills the stack. The
 * NMI may come in between any two steps of that interrupt; the interrupt never comes in on an NMI.
 * The client may ask for more than MOST blocks, all of one page, and must not get them. The store
 * has MOST + 2 * E.
 *
 * Property: each block is in exactly one place. No more than MOST are ever live. A request of an
 * NMI within the line finds the stack empty only after E others took from it since the last
 * complete run began. A request within finds a block, or is refused, but only while more than E
 * frees wait. (A request is within if none made before its end is for more than MOST.) When all
 * is quiet, the stack is full, and no free waits unless more than E have done so at once.
 *
 * What each step is for, and the variant without it:
 *	-DNO_KICK	an allocation from the stack does not request the interrupt
 *	-DNO_REAP	the interrupt completes no frees
 *	-DREAP_ONE	it completes one, not E
 *	-DFROM_END	not the code but the property: E allocations from the end of a run on are
 *			too much to promise, as an NMI may take what the run has just filled
 *	-DLOOK_ONLY	a block that is taken stays in its word, too
 *	-DNO_COUNT	an NMI takes from the stack whatever is live: more than MOST are
 *	-DLOOK_FIRST	an NMI without the lock looks at the count, and adds to it in another step:
 *			more than MOST are live
 *	-DNO_FILL	the interrupt does not fill the stack while MOST blocks are live: it stays
 *			empty when one of them is freed (+FULL)
 *	-DNO_CAP	no free that waits counts as live, however many: a request within the line
 *			finds no block (+FULL)
 *	-DHALF		the store has MOST + E blocks
 *	-DSTORE		a refill stores to a word and does not compare it (+TWO)
 *	-DNO_DROP	a refill that finds a word filled keeps the block for it (+TWO)
 * Variants that hold: -DFULL, the client has MOST blocks at first, not none; -DTWO, no task, and
 * two fill the stack at once.
 *
 * Limits: requests complete no frees; one order, one CPU with a stack; sequentially consistent
 * memory, and what is under the lock is one step.
 */
#ifndef E
#define E	2
#endif
#define MOST	3
#ifdef HALF
#define BLOCKS	(MOST + E)
#else
#define BLOCKS	(MOST + 2 * E)
#endif
#define NMI_OPS	5
#define TASK_OPS 2

mtype = { FREE, TAKEN, STACK, NMI, TASK, WAITS };

/* Block b is at b - 1; 0 is none. */
mtype place[BLOCKS];
byte stack[E];
byte nr_free = BLOCKS;
byte kept;
byte waits;		/* frees */
byte taken;		/* blocks that the client has taken, with those whose free waits */
byte held;		/* blocks that the client has, has asked for, or is freeing */
bool nmi_within;	/* the request of the NMI is within; that of the task */
bool task_within;
bool locked;		/* by the task */
bool pending;		/* the interrupt */
bool in_nmi;
bool quiet;		/* no NMI comes any more */
bool exceeded;		/* more than E frees have waited at once */
/* Allocations from the stack since the last run began, and since the last complete one did. */
byte since, since_complete;
byte done;

inline find(what)
{
	b = 1;
	do
	:: b <= BLOCKS && place[b - 1] != what -> b++
	:: b <= BLOCKS && place[b - 1] == what -> break
	:: b > BLOCKS -> b = 0; break
	od
}

inline take(whose)
{
	find(FREE);
	if
	:: b -> place[b - 1] = whose; nr_free--
	:: !b
	fi
}

inline give()
{
	place[b - 1] = FREE;
	nr_free++
}

inline reap()
{
	find(WAITS);
	if
	:: b -> give(); waits--; taken--
	:: !b
	fi;
	b = 0
}

#ifdef NO_CAP
#define live	(taken - waits)
#else
#define live	(taken - (waits < E -> waits : E))
#endif

/* Whoever asks for more than MOST does so for all that have asked. */
inline ask(within)
{
	held++;
	within = true;
	if
	:: held > MOST -> nmi_within = false; task_within = false
	:: else
	fi
}

/* charge() in limit.c succeeds, or the request is refused. */
inline count()
{
	taken++;
	assert(live <= MOST)
}

inline refuse(within)
{
	assert(!within || waits > E);		/* the guarantee is suspended */
	held--
}

/* A request by the holder of the lock. */
inline request(whose, within)
{
	if
	:: live < MOST ->
		count();
		take(whose);
		assert(b)			/* else it failed within the contract */
	:: else -> refuse(within)
	fi;
	b = 0
}

/* Without the lock. */
inline pop()
{
#ifdef LOOK_FIRST
	d_step { n = live; i = 0 }
	d_step { if :: n < MOST -> count(); n = 1 :: else -> refuse(nmi_within); n = 0 fi }
#else
	d_step {
		i = 0;
		if
#ifdef NO_COUNT
		:: true -> count(); n = 1
#else
		:: live < MOST -> count(); n = 1
		:: else -> refuse(nmi_within); n = 0
#endif
		fi
	}
#endif
	if
	:: n -> pop_counted()
	:: !n
	fi;
	n = 0
}

inline pop_counted()
{
	do
	:: i < E ->
		d_step {
			b = stack[i];
#ifndef LOOK_ONLY
			stack[i] = 0;
#endif
			if
			:: b ->
				assert(place[b - 1] == STACK);
				place[b - 1] = NMI;
				since++;
				since_complete++
			:: !b
			fi
		}
		if
		:: b -> break
		:: !b -> i++
		fi
	:: i == E -> break
	od;
#ifndef NO_KICK
	pending = true;
#endif
	if
	:: b -> kept--
	:: !b -> d_step { assert(since_complete >= E); taken--; held-- }
	fi;
	d_step { i = 0; b = 0 }
}

proctype nmi()
{
	byte ops, b, i, n;

	do
	:: ops < NMI_OPS ->
		atomic { in_nmi = true; ops++ }
		if
		:: d_step { held <= MOST -> ask(nmi_within) }
			if
			:: d_step { !locked -> request(NMI, nmi_within) }
			:: locked -> pop()
			fi
		:: d_step { !locked ->
				find(NMI);
				if
				:: b -> give(); taken--; held--
				:: !b
				fi;
				b = 0 }
		:: atomic { locked ->
				find(NMI);
				if
				:: b ->
					place[b - 1] = WAITS;
					waits++;
					held--;
					exceeded = exceeded || waits > E;
					pending = true
				:: !b
				fi;
				b = 0 }
		:: true
		fi;
		in_nmi = false
	:: break
	od;
	quiet = true;
	done++
}

/* fill() in limit.c; @t is what is to be filled in. */
inline fill()
{
	i = 0;
	do
	:: i < E && stack[i] -> i++
	:: i < E && !stack[i] ->
		atomic {
			!locked;
			d_step {
#ifdef NO_FILL
				if
				:: live < MOST -> take(TAKEN)
				:: else
				fi;
#else
				take(TAKEN);
#endif
				if
				:: b -> kept++
				:: !b
				fi;
				t = b;
				b = 0
			}
		}
		if
		:: !t -> break
		:: t
		fi;
		d_step {
			if
#ifdef STORE
			:: true ->
#else
			:: !stack[i] ->
#endif
				stack[i] = t;
				place[t - 1] = STACK;
				t = 0
			:: else
			fi
		}
		if
		:: t ->
#ifndef NO_DROP
			atomic { !locked; d_step { b = t; give(); b = 0 } }
#endif
			d_step { t = 0; kept-- }
		:: !t
		fi;
		i++
	:: i == E -> break
	od;
	i = 0
}

/* The interrupt. It waits while the NMI that interrupted it runs. */
proctype irq() provided (!in_nmi)
{
	byte b, i, t, n;

	do
	:: pending ->
		atomic { pending = false; since = 0; n = 0 }
#ifndef NO_REAP
		do
#ifdef REAP_ONE
		:: n < 1 ->
#else
		:: n < E ->
#endif
			atomic { !locked; d_step { reap(); n++ } }
		:: else -> break
		od;
#endif
		fill();
#ifdef FROM_END
		atomic { since_complete = 0; n = 0 }
#else
		atomic { since_complete = since; n = 0 }
#endif
	:: quiet && !pending -> break
	od;
	done++
}

/* On another CPU. */
proctype task()
{
	byte ops, b;

	do
	:: ops < TASK_OPS ->
		ops++;
		if
		:: d_step { held <= MOST -> ask(task_within); locked = true }
			d_step { request(TASK, task_within) }
			locked = false
		:: locked = true;
			d_step {
				find(TASK);
				if
				:: b -> give(); taken--; held--
				:: !b
				fi;
				b = 0
			}
			locked = false
		fi
	:: break
	od;
	done++
}

/* Fills the stack, too. */
proctype other()
{
	byte b, i, t;

	fill();
	done++
}

init
{
	byte i, n, b;

	d_step {
		for (i : 1 .. BLOCKS) {
			place[i - 1] = FREE
		}
#ifdef TWO
		pending = true;
#else
		for (i : 1 .. E) {
			stack[i - 1] = i;
			place[i - 1] = STACK
		}
		kept = E;
		nr_free = BLOCKS - E;
#ifdef FULL
		for (i : E + 1 .. E + MOST) {
			place[i - 1] = NMI
		}
		held = MOST;
		taken = MOST;
		nr_free = nr_free - MOST;
#endif
#endif
		i = 0
	}
	atomic {
#ifdef TWO
		quiet = true;
		done++;
		run other();
#else
		run nmi();
		run task();
#endif
		run irq()
	}
	d_step {
		done == 3;
		for (i : 1 .. E) {
			assert(stack[i - 1] && place[stack[i - 1] - 1] == STACK)
		}
		for (i : 1 .. BLOCKS) {
			assert(place[i - 1] != TAKEN);
			n = n + (place[i - 1] == STACK)
		}
		assert(n == E && kept == E);
		assert(exceeded || !waits)
	}
}
