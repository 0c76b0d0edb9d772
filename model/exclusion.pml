/*
 * P1: no two processes believe at one instant that they hold the key. ALIVE: who is first in line was heard of within a
 * lease.
 *
 * Two processes want one key over and over. Their line is on a server, behind a network that delays what it likes and loses
 * what may be asked again. Nothing makes a process go on: it may stop at any step, for a while or for good. Clocks agree on
 * nothing but their speed, and on that to one tick in a lease. What is written under the lock is in fencing.pml.
 *
 * A model that cannot fail shows nothing. Each of these, given as -D, is a mistake that must be found (test/model):
 * LEASE_FROM_REPLY, NO_MARGIN, HAND_OFF_LEASE_FROM_ARRIVAL, HAND_OFF_OF_AN_EARLIER_STAY, RELEASE_OF_ANYBODY, and by ALIVE
 * HAND_OFF_TO_THE_DEAD.
 */

#define N 2
/* In ticks. */
#define LEASE 2
#ifdef NO_MARGIN
#define BELIEF LEASE
#else
#define BELIEF (LEASE - 1)
#endif
/* How often somebody joins the line: what makes the model finite. */
#ifndef JOINS
#define JOINS 4
#endif

mtype = { attempt, renew, withdraw, held, waiting, kept, gone };

/* Calls of one process take effect in the order in which they were sent. */
chan calls[N] = [2] of { mtype };
/* How many of them, from the front, are given up: their answers reach nobody. */
byte givenUp[N];
chan answers[N] = [1] of { mtype, byte };
/* A hand-off goes its own way: before, after or instead of an answer. */
chan wakes[N] = [1] of { byte };

/* What the server knows. Place 0: not in line. */
byte place[N], leaseLeft[N], lastPlace;

/* What the processes know. Both leases count from before their call was sent; `late`: the clock has been late since. */
bool asking[N], holds[N];
byte known[N], sentLeft[N], answeredLeft[N];
bool sentLate[N], answeredLate[N];

/* For ALIVE alone. */
byte silence[N];

#define other(i) (1 - i)
#define believes(i) (holds[i] && answeredLeft[i] > 0)
#define inFront(i) (place[i] != 0 && (place[other(i)] == 0 || place[i] < place[other(i)]))

inline send(i, verb) {
  asking[i] = true;
  sentLeft[i] = BELIEF;
  sentLate[i] = false;
  calls[i]!verb
}

inline giveUp(i) {
  if
  :: nempty(answers[i]) -> answers[i]?_, _
  :: empty(answers[i]) && asking[i] && givenUp[i] < len(calls[i]) -> givenUp[i]++
  :: empty(answers[i]) && (!asking[i] || givenUp[i] == len(calls[i]))
  fi;
  asking[i] = false;
  sentLeft[i] = 0;
  sentLate[i] = false
}

inline believe(i) {
#ifdef LEASE_FROM_REPLY
  answeredLeft[i] = BELIEF;
  answeredLate[i] = false;
#else
  answeredLeft[i] = sentLeft[i];
  answeredLate[i] = sentLate[i];
#endif
  sentLeft[i] = 0;
  sentLate[i] = false;
  asking[i] = false
}

inline enter(i) {
  holds[i] = true;
  assert(!(believes(0) && believes(1)))
}

inline leave(i) {
  giveUp(i);
  holds[i] = false;
  known[i] = 0;
  answeredLeft[i] = 0;
  answeredLate[i] = false;
  givenUp[i]++;
  calls[i]!withdraw
}

inline hear(i) {
  if
  :: answers[i]?held, told -> known[i] = told; believe(i);
       if
       :: answeredLeft[i] > 0 -> enter(i)
       :: else /* too late to be of use: it is asked again */
       fi
  :: answers[i]?waiting, told -> known[i] = told; believe(i)
  :: answers[i]?kept, told ->
       if
       :: believes(i) -> believe(i)
       :: else -> asking[i] = false /* what was lost stays so */
       fi
  :: nfull(calls[i]) && answers[i]?[gone, told] -> answers[i]?gone, told; leave(i)
  fi;
  told = 0
}

/* Direct hand-off: whoever left says that this one is in. */
inline wake(i) {
  wakes[i]?told;
  if
#ifdef HAND_OFF_OF_AN_EARLIER_STAY
  :: !holds[i] && answeredLeft[i] > 0 -> enter(i)
#elif defined(HAND_OFF_LEASE_FROM_ARRIVAL)
  :: !holds[i] && told == known[i] -> answeredLeft[i] = BELIEF; answeredLate[i] = false; enter(i)
#else
  :: !holds[i] && told == known[i] && answeredLeft[i] > 0 -> enter(i)
#endif
  :: else
  fi;
  told = 0
}

proctype Process(byte i) {
  byte told;
  do
  :: atomic { !holds[i] && !asking[i] && nfull(calls[i]) -> send(i, attempt) }
  :: atomic { believes(i) && !asking[i] && nfull(calls[i]) -> send(i, renew) }
  :: atomic { asking[i] -> giveUp(i) }
  :: atomic { nempty(answers[i]) -> hear(i) }
  :: atomic { !asking[i] && nempty(wakes[i]) -> wake(i) }
  /* Who no longer wants it leaves; and so does, some time later, who has lost it. */
  :: atomic { (holds[i] || known[i] != 0) && nfull(calls[i]) -> leave(i) }
  od
}

inline restart(i) {
  leaseLeft[i] = LEASE;
  silence[i] = 0
}

inline forget(i) {
  place[i] = 0;
  leaseLeft[i] = 0;
  silence[i] = 0
}

inline reply(i, what) {
  if
  :: givenUp[i] > 0 -> givenUp[i]--
  :: else -> answers[i]!what, place[i]
  fi
}

inline tell(i) {
  if
  :: inFront(i) && nfull(wakes[i]) -> wakes[i]!place[i]
  :: !inFront(i) || full(wakes[i])
  fi
}

inline obey(i) {
  if
  :: calls[i]?attempt ->
       if
       :: place[i] == 0 && lastPlace < JOINS -> lastPlace++; place[i] = lastPlace; restart(i)
       :: place[i] != 0 -> restart(i)
       :: else
       fi;
       if
       :: inFront(i) -> reply(i, held)
       :: place[i] != 0 && !inFront(i) -> reply(i, waiting)
       :: place[i] == 0 -> reply(i, gone)
       fi
  :: calls[i]?renew ->
       if
       :: place[i] != 0 -> restart(i); reply(i, kept)
       :: else -> reply(i, gone)
       fi
  :: calls[i]?withdraw ->
       givenUp[i]--;
#ifdef RELEASE_OF_ANYBODY
       if
       :: inFront(other(i)) -> forget(other(i))
       :: else -> forget(i)
       fi;
#else
       forget(i);
#endif
       tell(other(i))
  /* Lost on the way. */
  :: calls[i]?attempt -> if :: givenUp[i] > 0 -> givenUp[i]-- :: else fi
  :: calls[i]?renew -> if :: givenUp[i] > 0 -> givenUp[i]-- :: else fi
  fi
}

proctype Server() {
  do
  :: atomic { nempty(calls[0]) -> obey(0) }
  :: atomic { nempty(calls[1]) -> obey(1) }
  od
}

inline age(i) {
  if
  :: place[i] == 0
  :: else ->
       if
       :: silence[i] <= LEASE -> silence[i]++
       :: else
       fi;
#ifdef HAND_OFF_TO_THE_DEAD
       /* Only who holds has a lease. */
       if
       :: leaseLeft[i] > 0 && holds[i] -> leaseLeft[i]--
       :: else
       fi;
#else
       leaseLeft[i]--;
#endif
       if
       :: leaseLeft[i] == 0 -> forget(i)
       :: else
       fi
  fi
}

/* The clock of a process shows the tick, or is late by it. */
inline show_tick(i) {
  if
  :: true ->
       if :: sentLeft[i] > 0 -> sentLeft[i]-- :: else fi;
       if :: answeredLeft[i] > 0 -> answeredLeft[i]-- :: else fi;
       if :: answeredLeft[i] == 0 -> answeredLate[i] = false :: else fi;
       if :: sentLeft[i] == 0 -> sentLate[i] = false :: else fi
  :: !sentLate[i] && !answeredLate[i] && (sentLeft[i] > 0 || answeredLeft[i] > 0) ->
       sentLate[i] = (sentLeft[i] > 0);
       answeredLate[i] = (answeredLeft[i] > 0)
  fi
}

/* A tick for all at once; how much is done between two of them is left open. */
proctype Time() {
  do
  :: atomic {
       age(0);
       age(1);
#ifdef ALIVE
       assert(!inFront(0) || silence[0] <= LEASE);
       assert(!inFront(1) || silence[1] <= LEASE);
#endif
       show_tick(0);
       show_tick(1) }
  od
}

init {
  atomic { run Server(); run Time(); run Process(0); run Process(1) }
}
