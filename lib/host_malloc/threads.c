// SPDX-License-Identifier: GPL-2.0
/*
 * The host's CPUs for threads that come and go
 *
 * What it is: a CPU of the allocator is a slot. A thread takes one when it first turns preemption
 * off, and gives it back when it ends; what the slot has in its magazines stays for the next one.
 * When the first HOST_SLOTS - HOST_SHARED slots are taken, a thread shares one of the others until
 * it ends: each section with preemption off then holds the lock of the slot, so threads of one slot
 * exclude each other as tasks of one CPU do.
 *
 * The owner of a slot takes no lock. It makes its section count odd, then looks whether somebody
 * has stopped the slot; who stops a slot takes its lock, then looks whether the count is odd.
 * The two would need full barriers between their store and their load. Only the rare side has one:
 * membarrier() makes every thread of the process pass through a full barrier (Dekker's algorithm,
 * made asymmetric as in the kernel's own percpu_rw_semaphore). If the system has no membarrier(),
 * all slots are shared.
 *
 * A thread whose destructors have run shares a slot for the rest of its life: it would have no
 * opportunity to give back one of its own.
 *
 * Grace periods: one ends when each slot that was in a section at its beginning has left that
 * section. fork() stops all slots and takes the other locks here, so that the child, which has one
 * thread, finds nothing half done; it frees the slots of the threads that it does not have.
 *
 * Lock order: what host_malloc holds; slots_lock; slots; gp.lock, and those of memory.c.
 */
#include "env.h"
#include "host_malloc.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

__thread struct host_self host_self;
unsigned int host_nr_cpus = HOST_SLOTS;

static struct host_slot slots[HOST_SLOTS];
static struct hidden_lock slots_lock;
static unsigned int nr_own;		/* slots that may have an owner */
static unsigned int nr_taken;		/* of them, have one */
static unsigned int next_shared;
static pthread_key_t at_end;

static void relax(unsigned int *spins)
{
	if (++*spins % 64)
		cpu_relax();
	else
		sched_yield();
}

void hidden_acquire(struct hidden_lock *lock)
{
	unsigned int spins = 0;

	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		relax(&spins);
}

bool hidden_try(struct hidden_lock *lock)
{
	return !__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE);
}

void hidden_release(struct hidden_lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

/*
 * A full barrier in every thread that owns a slot; those that share one have it in each section,
 * and one that gets a slot only now has it in attach().
 */
static void barrier_everywhere(void)
{
	smp_mb();
	if (READ_ONCE(nr_taken) > (host_self.own ? 1 : 0))
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

/* --- slots ------------------------------------------------------------------------ */

static void slot_lock(struct host_slot *slot)
{
	unsigned int spins = 0;

	while (__atomic_exchange_n(&slot->lock, 1, __ATOMIC_SEQ_CST))
		relax(&spins);
}

static void slot_unlock(struct host_slot *slot)
{
	smp_store_release(&slot->lock, 0);
}

/* After slot_lock() and a barrier everywhere: wait until the owner has left its section. */
static void slot_wait(struct host_slot *slot)
{
	unsigned int spins = 0;

	while (smp_load_acquire(&slot->sections) & 1)
		relax(&spins);
}

static void set_cpu(unsigned int cpu)
{
	host_self.cpu = cpu;
	host_self.offset = cpu * HOST_PERCPU_UNIT;
}

static void thread_ends(void *unused)
{
	hidden_acquire(&slots_lock);
	host_self.own->taken = false;
	WRITE_ONCE(nr_taken, nr_taken - 1);
	hidden_release(&slots_lock);
	host_self.own = NULL;
	host_self.ended = true;
}

/* Gives this thread a slot, its own or a shared one. */
static void attach(void)
{
	unsigned int cpu;

	hidden_acquire(&slots_lock);
	for (cpu = 0; cpu < nr_own && (slots[cpu].taken || host_self.ended); cpu++)
		;
	if (cpu == nr_own) {
		cpu = HOST_SLOTS - HOST_SHARED + next_shared++ % HOST_SHARED;
		host_self.shared = &slots[cpu];
	} else {
		slots[cpu].taken = true;
		WRITE_ONCE(nr_taken, nr_taken + 1);
		host_self.own = &slots[cpu];
	}
	hidden_release(&slots_lock);
	smp_mb();
	set_cpu(cpu);
	if (host_self.own)
		pthread_setspecific(at_end, &host_self);	/* a low key: allocates nothing */
}

/* A section of a thread that has no slot, shares one, or whose slot was stopped just now. */
void host_pin_slow(void)
{
	struct host_slot *own = host_self.own;
	unsigned int spins = 0;

	if (own) {
		smp_store_release(&own->sections, own->sections + 1);
	} else {
		if (!host_self.shared)
			attach();
		own = host_self.own;
	}
	if (!own) {
		slot_lock(host_self.shared);
		WRITE_ONCE(host_self.shared->sections, host_self.shared->sections + 1);
		smp_mb();
		return;
	}
	for (;;) {
		while (READ_ONCE(own->lock))
			relax(&spins);
		WRITE_ONCE(own->sections, own->sections + 1);
		smp_mb();
		if (!READ_ONCE(own->lock))
			return;
		smp_store_release(&own->sections, own->sections + 1);
	}
}

void host_unpin_slow(void)
{
	struct host_slot *slot = host_self.shared;

	smp_store_release(&slot->sections, slot->sections + 1);
	slot_unlock(slot);
}

bool host_cpu_online(unsigned int cpu)
{
	return cpu < HOST_SLOTS;
}

unsigned int num_online_cpus(void)
{
	return HOST_SLOTS;
}

void myalloc_env_cpus_read_lock(void)
{
}

void myalloc_env_cpus_read_unlock(void)
{
}

/* Runs the function as the thread of that slot, whose own sections wait meanwhile. */
int myalloc_env_call_on_cpu(int cpu, void (*fn)(void *arg), void *arg)
{
	struct host_slot *slot = &slots[cpu];
	struct host_self before = host_self;

	slot_lock(slot);
	barrier_everywhere();
	slot_wait(slot);
	host_self.own = NULL;
	host_self.pins = 1;
	set_cpu(cpu);
	/* A section for grace periods, too. */
	WRITE_ONCE(slot->sections, slot->sections + 1);
	smp_mb();
	fn(arg);
	smp_store_release(&slot->sections, slot->sections + 1);
	before.slow = host_self.slow;
	host_self = before;
	barrier();
	slot_unlock(slot);
	return 0;
}

/* --- grace periods: numbered as in env/host/env.c ------------------------------------- */

static struct {
	struct hidden_lock lock;
	u64 begun, ended;
	u64 sections[HOST_SLOTS];
} gp;

static void gp_begin(void)
{
	unsigned int cpu;

	gp.begun++;
	barrier_everywhere();
	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		gp.sections[cpu] = smp_load_acquire(&slots[cpu].sections);
}

static bool gp_try_end(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		if (gp.sections[cpu] & 1 &&
		    smp_load_acquire(&slots[cpu].sections) == gp.sections[cpu])
			return false;
	gp.ended = gp.begun;
	return true;
}

u64 myalloc_env_gp_snapshot(void)
{
	u64 moment;

	smp_mb();
	hidden_acquire(&gp.lock);
	moment = gp.begun + 1;
	hidden_release(&gp.lock);
	return moment;
}

u64 myalloc_env_gp_start(void)
{
	return myalloc_env_gp_snapshot();
}

bool myalloc_env_gp_passed(u64 moment)
{
	bool passed;

	hidden_acquire(&gp.lock);
	for (;;) {
		if (gp.begun != gp.ended && !gp_try_end())
			break;
		if (gp.ended >= moment)
			break;
		gp_begin();
	}
	passed = gp.ended >= moment;
	hidden_release(&gp.lock);
	smp_mb();
	return passed;
}

void myalloc_env_gp_wait(void)
{
	u64 moment = myalloc_env_gp_snapshot();
	unsigned int spins = 0;

	while (!myalloc_env_gp_passed(moment))
		relax(&spins);
}

/* --- locks ------------------------------------------------------------------------------ */

void host_lock_init(struct host_lock *lock, const char *name)
{
	lock->name = name;
	WRITE_ONCE(lock->owner, 0);
}

void host_lock_destroy(struct host_lock *lock)
{
}

void host_raw_lock(struct host_lock *lock)
{
	unsigned int spins = 0;

	while (READ_ONCE(lock->owner) || __atomic_exchange_n(&lock->owner, 1, __ATOMIC_ACQUIRE))
		relax(&spins);
}

void host_mutex_lock(struct host_lock *lock, const char *file, int line)
{
	host_raw_lock(lock);
}

bool host_mutex_trylock(struct host_lock *lock)
{
	return !READ_ONCE(lock->owner) && !__atomic_exchange_n(&lock->owner, 1, __ATOMIC_ACQUIRE);
}

void host_mutex_unlock(struct host_lock *lock)
{
	smp_store_release(&lock->owner, 0);
}

/* --- begin, fork -------------------------------------------------------------------------- */

/* @own: most slots that have an owner. */
void host_threads_init(unsigned int own)
{
	if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		own = 0;
	nr_own = min(own, (unsigned int)(HOST_SLOTS - HOST_SHARED));
	if (pthread_key_create(&at_end, thread_ends))
		nr_own = 0;
}

/* Nobody is in a section from here on, but this thread when it begins one. */
void host_threads_stop(void)
{
	unsigned int cpu;

	hidden_acquire(&slots_lock);
	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		if (&slots[cpu] != host_self.own)
			slot_lock(&slots[cpu]);
	barrier_everywhere();
	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		slot_wait(&slots[cpu]);
	hidden_acquire(&gp.lock);
}

static void resume(void)
{
	unsigned int cpu;

	hidden_release(&gp.lock);
	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		slot_unlock(&slots[cpu]);
	hidden_release(&slots_lock);
}

void host_threads_parent(void)
{
	resume();
}

void host_threads_child(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < HOST_SLOTS; cpu++)
		slots[cpu].taken = &slots[cpu] == host_self.own;
	WRITE_ONCE(nr_taken, host_self.own ? 1 : 0);
	membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	resume();
}
