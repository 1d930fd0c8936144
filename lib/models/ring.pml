/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model of ring.c
 *
 * A ring of SIZE units. A record takes one unit for its header and none or LONGEST for its data; two
 * producers reserve, fill in and commit RECORDS each, a consumer reads. A unit is
 * written and read in a step of its own; a header is two words, its mark and its length with the
 * flags. A header that data has overwritten is no header any more.
 *
 * Without a definition: a ring that does not overwrite. The consumer reads a record where it lies
 * and releases it. +ONE: one producer, which takes no lock. +OVERWRITE: a producer passes over the
 * oldest records; the consumer copies.
 *
 * Property: a record that is read is the one committed at that position, complete. Each record that
 * was reserved was read, in order, or is counted as lost when its ring overwrites. The headers
 * between oldest and tail are always complete.
 *
 * What each step is for, and the variant without it:
 *	-DNO_BUSY	the flag BUSY is not looked at: a record is read while it is filled in
 *	-DTAIL_FIRST	the tail is moved before the header is written
 *	-DRELEASE_FIRST	a record is released before it is read
 *	-DNO_LOCK	several producers without the lock
 *	-DPASS_BUSY	a record that is being filled in is passed over
 *	-DLATE_OLDEST	oldest is stored after the header of the new record
 *	-DNO_RECHECK	a copy is trusted, even if oldest has passed it meanwhile
 *
 * Limits: sequentially consistent memory; the litmus tests ring-* are about other orders. Where no
 * lock is held a position is stored and loaded in one step: it is one word.
 */
#ifdef OVERWRITE
#define SIZE	3
#define LONGEST	1
#else
#define SIZE	4
#define LONGEST	2
#endif
#ifdef ONE
#define PRODUCERS 1
#define RECORDS	3
#else
#define PRODUCERS 2
#define RECORDS	2
#endif
#define MOST	13	/* positions: records of three units each, and the end */

byte mark[SIZE];	/* position + 1; 0 for data */
byte length[SIZE];
bool busy[SIZE];
byte serial[SIZE];
byte data[SIZE];	/* the number of the record that it belongs to */
byte tail, oldest;
bool locked;
byte reserved;		/* records */
byte done;		/* producers */
/* For the property only. */
byte number[MOST];	/* of the record that was reserved at a position */

#define at(pos)	((pos) % SIZE)

inline lock()
{
#if !defined(ONE) && !defined(NO_LOCK)
	atomic { !locked; locked = true }
#endif
	skip
}

inline unlock()
{
	locked = false
}

/* o becomes the oldest position that stays, or no_room is set. */
inline find_room()
{
	o = oldest;
	no_room = false;
#ifdef OVERWRITE
	do
	:: pos + 1 + units - o > SIZE ->
		if
#ifdef PASS_BUSY
		:: false
#else
		:: busy[at(o)] -> no_room = true; break
#endif
		:: else -> o = o + 1 + length[at(o)]
		fi
	:: else -> break
	od
#else
	no_room = (pos + 1 + units - o > SIZE)
#endif
}

proctype producer(byte me)
{
	byte n, units, pos, o, u;
	bool no_room;

	do
	:: n < RECORDS ->
		n++;
		if
		:: units = 0
		:: units = LONGEST
		fi;
		lock();
		pos = tail;
		find_room();
		if
		:: no_room -> unlock()
		:: else ->
#if defined(OVERWRITE) && !defined(LATE_OLDEST)
			oldest = o;
#endif
#ifdef TAIL_FIRST
			tail = pos + 1 + units;
#endif
			d_step { mark[at(pos)] = pos + 1; data[at(pos)] = 0 }
			d_step {
				length[at(pos)] = units;
				busy[at(pos)] = true;
				serial[at(pos)] = reserved
			}
#if defined(OVERWRITE) && defined(LATE_OLDEST)
			oldest = o;
#endif
			d_step {
				number[pos] = me * RECORDS + n;
				reserved++;
#ifndef TAIL_FIRST
				tail = pos + 1 + units
#endif
			}
			unlock();
			u = 1;
			do
			:: u <= units ->
				d_step {
					data[at(pos + u)] = me * RECORDS + n;
					mark[at(pos + u)] = 0;
					busy[at(pos + u)] = false;
					length[at(pos + u)] = 0;
					u++
				}
			:: else -> break
			od;
			skip;
			d_step {
				/* A commit is refused if the header is not the record's any more. */
				assert(mark[at(pos)] == pos + 1 && busy[at(pos)]);
				busy[at(pos)] = false
			}
		fi;
		d_step { u = 0; o = 0; pos = 0; units = 0; no_room = false }
	:: else -> break
	od;
	done++
}

#ifdef OVERWRITE
proctype consumer()
{
	byte pos, end, next, expected, lost, read, l, s, m, u;
	byte copy[3];
	bool b;

	do
	:: pos = oldest;
		end = tail;
		pos = (pos > next -> pos : next);
		if
		:: pos >= end ->
			atomic {
				if
				:: done == PRODUCERS && next == tail && oldest <= next -> break
				:: else
				fi
			}
		:: else ->
			d_step {
				l = length[at(pos)];
				b = busy[at(pos)];
				s = serial[at(pos)]
			}
			m = mark[at(pos)];
			if
			:: oldest > pos	/* again */
			:: else ->
				assert(m == pos + 1);
				if
				:: b	/* later */
				:: else ->
					u = 1;
					do
					:: u <= l -> copy[u] = data[at(pos + u)]; u++
					:: else -> break
					od;
					if
#ifdef NO_RECHECK
					:: false
#else
					:: oldest > pos
#endif
					:: else ->
						d_step {
							u = 1;
							do
							:: u <= l ->
								assert(copy[u] == number[pos]);
								u++
							:: else -> break
							od;
							read++;
							lost = lost + s - expected;
							expected = s + 1;
							next = pos + 1 + l
						}
					fi
				fi
			fi
		fi;
		d_step { pos = 0; end = 0; l = 0; s = 0; m = 0; u = 0; b = false;
			 copy[1] = 0; copy[2] = 0 }
	od;
	assert(read + lost == reserved)
}
#else
proctype consumer()
{
	byte pos, next, read, l, u;

	do
	:: pos = oldest;
		if
		:: pos == tail ->
			atomic {
				if
				:: done == PRODUCERS && pos == tail -> break
				:: else
				fi
			}
		:: else ->
			assert(mark[at(pos)] == pos + 1);
			if
#ifdef NO_BUSY
			:: false
#else
			:: busy[at(pos)]	/* later */
#endif
			:: else ->
				l = length[at(pos)];
				next = pos + 1 + l;
				assert(next <= tail);
#ifdef RELEASE_FIRST
				oldest = next;
#endif
				u = 1;
				do
				:: u <= l ->
					assert(data[at(pos + u)] == number[pos]);
					u++
				:: else -> break
				od;
				skip;
				d_step { read++; oldest = next }
			fi
		fi;
		d_step { pos = 0; next = 0; l = 0; u = 0 }
	od;
	assert(read == reserved)
}
#endif

init
{
	atomic {
		run producer(0);
#ifndef ONE
		run producer(1);
#endif
		run consumer()
	}
}
