/* SPDX-License-Identifier: GPL-2.0 */
/* Raw locks that may be asked for in NMI. */
#ifndef MYALLOC_LOCK_H
#define MYALLOC_LOCK_H


/* Takes a raw lock; from NMI only if it is free. */
static inline bool myalloc_lock(raw_spinlock_t *lock, unsigned long *flags)
{
	if (unlikely(in_nmi()))
		return raw_spin_trylock_irqsave(lock, *flags);
	raw_spin_lock_irqsave(lock, *flags);
	return true;
}

#endif /* MYALLOC_LOCK_H */
