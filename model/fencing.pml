/*
 * P2: what a fenced resource accepts follows the order of grants. SUM: no accepted write overwrites one that its author has
 * not read.
 *
 * Neither rests on a clock, and so there is none here: a server may end a lease at any moment, and a process may believe for
 * as long as it likes that it holds the key; so may two. What a process writes is under way for as long as it likes, while
 * the process goes on, and passes the key on within itself. Why two do not believe at once is in exclusion.pml.
 *
 * A model that cannot fail shows nothing. Each of these, given as -D, is a mistake that must be found (test/model):
 * NO_FENCING, COUNTER_RESET, FENCE_FOR_WRITES_ONLY, HANDED_OVER_WITH_ITS_TOKEN.
 */

#define N 2
/* How often somebody joins the line, and a key is passed on within a process: what makes the model finite. */
#ifndef JOINS
#define JOINS 4
#endif
#define HAND_OFFS 2

/* The server. Place 0: not in line. */
byte place[N], lastPlace;

/* The resource. */
byte largestToken, value;

/* What is on its way to it: with which token, the value that it follows from, and whose grant it is. */
chan writes[N] = [2] of { byte, byte, byte };

/* For the properties alone: grants in their order, whatever places are given. */
byte grants, grantOf[N], latestAccepted;

#define other(i) (1 - i)
#define inFront(i) (place[i] != 0 && (place[other(i)] == 0 || place[i] < place[other(i)]))

/* The place in line, and below it the hand-off within the process. */
#ifdef HANDED_OVER_WITH_ITS_TOKEN
#define TOKEN (with * HAND_OFFS)
#else
#define TOKEN (with * HAND_OFFS + handOff)
#endif

inline join(i) {
  lastPlace++;
  place[i] = lastPlace;
  grants++;
  grantOf[i] = grants
}

inline forget(i) {
  place[i] = 0;
#ifdef COUNTER_RESET
  if
  :: place[other(i)] == 0 -> lastPlace = 0
  :: else
  fi
#endif
}

proctype Process(byte i) {
  /* Its own memory of being in: with a place of 0 it believes nothing. */
  byte with, grant, handOff, read;
  bool visited, hasRead;
  do
  :: atomic { place[i] == 0 && grants < JOINS -> join(i) }
  :: atomic { with == 0 && inFront(i) -> with = place[i]; grant = grantOf[i]; handOff = 0; visited = false; hasRead = false }
  :: atomic { with != 0 && handOff + 1 < HAND_OFFS -> handOff++; visited = false; hasRead = false }
  /* The critical section: to read, and later to write what follows from it. */
  :: atomic { with != 0 && !visited ->
       visited = true;
#ifdef FENCE_FOR_WRITES_ONLY
       hasRead = true;
       read = value
#else
       if
       :: TOKEN >= largestToken -> largestToken = TOKEN; hasRead = true; read = value
       :: else
       fi
#endif
     }
  :: atomic { with != 0 && hasRead && nfull(writes[i]) ->
       hasRead = false;
       writes[i]!TOKEN, read, grant * HAND_OFFS + handOff;
       read = 0 }
  /* Lets go, knowing or not that it had lost it. */
  :: atomic { with != 0 ->
       if
       :: place[i] == with -> forget(i)
       :: else
       fi;
       with = 0; grant = 0; handOff = 0; read = 0; visited = false; hasRead = false }
  od
}

/* A lease ends, or the server forgets. */
proctype Oblivion() {
  do
  :: atomic { place[0] != 0 -> forget(0) }
  :: atomic { place[1] != 0 -> forget(1) }
  od
}

inline take(i) {
  writes[i]?token, read, grant;
  if
#ifndef NO_FENCING
  :: token < largestToken /* refused */
#endif
  :: else ->
       largestToken = (token > largestToken -> token : largestToken);
#ifdef P2
       assert(grant >= latestAccepted);
#endif
       latestAccepted = grant;
#ifdef SUM
       assert(read == value);
#endif
       value++
  fi;
  token = 0;
  read = 0;
  grant = 0
}

proctype Resource() {
  byte token, read, grant;
  do
  :: atomic { nempty(writes[0]) -> take(0) }
  :: atomic { nempty(writes[1]) -> take(1) }
  od
}

init {
  atomic { run Oblivion(); run Resource(); run Process(0); run Process(1) }
}
