/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of the depot of magazine.c: two lock-free stacks whose heads carry a tag
 *
 * Two processes do OPS_A and OPS_B operations on the full and the empty stack, as
 * depot_push() and depot_pop() do them: one load of the head, loads and stores of next, one
 * compare-exchange. A magazine that is popped may go to either stack.
 *
 * Property (M1): every magazine is in exactly one place. So a pop never returns a magazine that is
 * in use, and at the end the stacks hold all the others, as many as depth says.
 *
 * -DNO_TAG: heads without a tag. The compare-exchange of a pop then succeeds although the top
 * was popped and pushed back meanwhile, over another magazine (the ABA problem).
 *
 * Limits: sequentially consistent memory; the tag does not wrap around within OPS_A + OPS_B operations.
 */
#define MAGS	3
#define OPS_A	2
#define OPS_B	5
#define NONE	0	/* magazines are 1 to MAGS: a head holds the number + 1 */

typedef head_t {
	byte top;
	byte depth;
	byte tag
}

head_t head[2];
byte next[MAGS + 1];
byte owner[MAGS + 1];	/* the process that has it, 0 for none; for the property only */
byte done;

#ifdef NO_TAG
#define same(h)	(head[h].top == top && head[h].depth == depth)
#else
#define same(h)	(head[h].top == top && head[h].depth == depth && head[h].tag == tag)
#endif

inline load(h)
{
	d_step {
		top = head[h].top;
		depth = head[h].depth;
		tag = head[h].tag
	}
}

/* The compare-exchange; if it fails, it is a load. In a d_step. */
inline exchange(h, new_top, new_depth)
{
	if
	:: same(h) ->
		head[h].top = new_top;
		head[h].depth = new_depth;
		head[h].tag = tag + 1;
		ok = true
	:: else ->
		top = head[h].top;
		depth = head[h].depth;
		tag = head[h].tag;
		ok = false
	fi
}

inline push(h)
{
	load(h);
	ok = false;
	do
	:: !ok ->
		next[mag] = top;
		d_step {	/* it leaves these hands in the step that puts it there */
			exchange(h, mag, depth + 1);
			owner[mag] = (ok -> 0 : _pid)
		}
	:: ok -> break
	od
}

inline pop(h)
{
	load(h);
	ok = false;
	do
	:: !ok && top == NONE -> mag = NONE; break
	:: !ok && top != NONE ->
		mag = top;
		below = next[mag];
		d_step {
			exchange(h, below, depth - 1);
			assert(!ok || !owner[mag]);
			owner[mag] = (ok -> _pid : owner[mag])
		}
	:: ok -> break
	od;
	below = 0
}

proctype cpu(byte ops)
{
	byte mag, top, depth, tag, below;
	bool ok;

	do
	:: ops ->
		if
		:: pop(0)
		:: pop(1)
		:: select(mag : 1 .. MAGS);
			if
			:: owner[mag] == _pid ->
				if
				:: push(0)
				:: push(1)
				fi
			:: else
			fi
		fi;
		atomic { mag = 0; top = 0; depth = 0; tag = 0; ok = false; ops-- }
	:: !ops -> break
	od;
	done++
}

inline count(h)
{
	nr = 0;
	mag = head[h].top;
	do
	:: mag != NONE ->
		assert(!owner[mag] && !seen[mag]);
		seen[mag] = true;
		nr++;
		mag = next[mag]
	:: else -> break
	od;
	assert(nr == head[h].depth)
}

init
{
	byte i, mag, nr;
	bool seen[MAGS + 1];

	atomic {
		/* Two are full. */
		next[2] = 1;
		head[0].top = 2;
		head[0].depth = 2;
		head[1].top = 3;
		head[1].depth = 1;
		run cpu(OPS_A);
		run cpu(OPS_B)
	}
	d_step {
		done == 2;
		count(0);
		count(1);
		for (i : 1 .. MAGS) {
			assert(seen[i] == !owner[i])
		}
	}
}
