/*
 * The protocol of docs/protocol.md, as far as crashes, zombies and lost answers can reach it: coordinators, the job row,
 * one sink subtask with its two transactional ids, and the broker. `npm run model` checks it; model/README.md says what
 * is left out and what the bound is.
 *
 * Producer epochs are not numbers here. All that the broker ever asks of a request's identity is whether it is the
 * current one of its transactional id. So every holder of an identity has one bit, and InitProducerId clears those of
 * all others. This keeps the states few, and turns an endless retry into a cycle that can be found.
 */

#ifndef EPOCHS
#define EPOCHS 3 /* epochs 1 .. EPOCHS are to be decided and committed */
#endif
#ifndef FAULTS
#define FAULTS 3 /* crashes, timeouts, zombies, lost and late requests and answers: so many altogether */
#endif
#ifndef STARTS
#define STARTS 3 /* generations: how often a coordinator starts, each at any moment */
#endif
#define ID(e) ((e) % 2)

/* Steps of functions that a zombie may stand at. */
#define P_INIT 1
#define P_SEND 2
#define R_INIT 3
#define R_READ 4
#define R_AGAIN 5
#define R_SEND 6
#define R_END 7

#define MAY_CRASH (faults > 0 && generation == MY_GENERATION && generation < STARTS) /* a superseded one may as well pause */
#define MAY_LEAVE (faults > 0 && zombieStep == 0)
#define ME _pid
#define HOLDS(i) holds[2 * _pid + (i)]
#define MY_GENERATION ownGeneration[_pid]
#define MY_EPOCH epoch[_pid]
#define MY_DECISION decision[_pid]
#define MY_ATTEMPT attempt[_pid]

/* ---- The store: the job row, and the rows of the epochs ---- */
byte generation;
byte lastEpoch;             /* lastCompleted: the epoch ... */
byte lastDecision;          /* ... and its decision id: the number of the attempt */
byte lastCommitted;
byte decidedBy[EPOCHS + 1]; /* by epoch: the attempt that was decided, 0 = none */

/* ---- The broker, by transactional id ---- */
byte openEpoch[2];          /* a transaction is open: its epoch, 0 = none is */
byte openAttempt[2];        /*   what this attempt has sent, marker and data, is in it */
bool openBefore[2];         /*   data of an earlier epoch was sent later than its own */
bool openedSince[2];        /*   it was opened after the last settlement */
bool ended[2];              /* the current identity has committed: its EndTxn may be repeated */
byte marker[2];             /* the committed marker, 0 = none */
byte shown[2];              /* what a reader may still be shown who does not insist on a stable one */

/* ---- What a reader of committed data has seen ---- */
bool committed[EPOCHS + 1];

/* ---- Who holds the current identity of an id ---- */
bool holds[4];              /* coordinator c, of id i: index 2 * c + i */
byte committable[2];        /* the decided epoch whose committable it is, 0 = none */
bool lateCommit[2];         /* an EndTxn that the network delivers late, or never */
bool lateAbort[2];
bool zombieHolds;
bool lateHolds;

/* ---- A decision that the network delivers late, or never ---- */
byte lateEpoch;             /* 0 = none */
byte lateGeneration, lateParent, lateAttempt;

/* ---- A function that runs on though nobody waits for it: given up, orphaned by a crash, or invoked twice ---- */
byte zombieStep;            /* 0 = none */
byte zombieEpoch, zombieAttempt;

/* ---- Coordinators: the last completed epoch as they know it, and the attempt at the next one ---- */
byte ownGeneration[2]; /* 0 = down */
byte epoch[2], decision[2], attempt[2];

byte faults = FAULTS;

/* The content of a transaction goes: it was committed or aborted. */
inline close(i) {
  openEpoch[i] = 0; openAttempt[i] = 0; openBefore[i] = false; openedSince[i] = false
}

/* InitProducerId, or the broker's own timeout: what is open is aborted, and every identity of the id is stale. */
inline fence(i) {
  close(i);
  holds[i] = false; holds[2 + i] = false;
  committable[i] = 0;
  lateCommit[i] = false; lateAbort[i] = false;
  ended[i] = false;
  zombieHolds = (ID(zombieEpoch) == i -> false : zombieHolds);
  lateHolds = (ID(lateEpoch) == i -> false : lateHolds);
  /* It waits for the markers of the transaction before, but a group coordinator may fail over just then. */
  if
  :: shown[i] = marker[i]
  :: shown[i] != marker[i] && faults > 0 -> faults--
  fi
}

/* Marker and staged output, sent under the current identity. (Only the sender itself could end half of it.) */
inline send(i, e, a) {
  openEpoch[i] = e; openAttempt[i] = a; openedSince[i] = true; ended[i] = false;
  openBefore[1 - i] = openBefore[1 - i] || (openEpoch[1 - i] > e && !committed[e])
}

/* EndTxn(commit) under the current identity. Here output becomes visible, and here the invariants are asserted. */
inline endTxn(i) {
  if
  :: openEpoch[i] > 0 ->
     assert(decidedBy[openEpoch[i]] == openAttempt[i]);        /* I2, I4: the output of the decided attempt */
     assert(!committed[openEpoch[i]]);                         /* I2: once */
     assert(openEpoch[i] == 1 || committed[openEpoch[i] - 1]); /* I5: in the order of epochs */
     assert(!openBefore[i]);                                   /* I5: in the log too */
     committed[openEpoch[i]] = true;
#ifndef MARKER_APART
     marker[i] = openEpoch[i];
#endif
     close(i);
     ended[i] = true
  :: else
  fi
}

/* The smallest number that no attempt at epoch e has which anything still refers to. */
#define TAKEN(a, e) (decidedBy[e] == a || \
  (epoch[0] + 1 == e && attempt[0] == a) || (epoch[1] + 1 == e && attempt[1] == a) || \
  (zombieEpoch == e && zombieAttempt == a) || (lateEpoch == e && lateAttempt == a) || \
  (openEpoch[ID(e)] == e && openAttempt[ID(e)] == a))

inline newAttempt(e) {
  MY_ATTEMPT = 0;
  number = 1;
  do
  :: TAKEN(number, e) -> number++
  :: else -> break
  od;
  MY_ATTEMPT = number;
  number = 0
}

/* The conditions of the transaction that decides. */
#ifdef NO_GENERATION
#define OF_GENERATION(g) true
#else
#define OF_GENERATION(g) (generation == (g))
#endif
#if defined(NO_PARENT) || defined(NO_PARENT_NOR_ROW)
#define ON_PARENT(e, parent) true
#else
#define ON_PARENT(e, parent) (lastEpoch == (e) - 1 && lastDecision == (parent))
#endif
#if defined(NO_ROW) || defined(NO_PARENT_NOR_ROW)
#define NO_ROW_OF(e) true
#else
#define NO_ROW_OF(e) (decidedBy[e] == 0)
#endif
#define MAY_DECIDE(g, e, parent) (OF_GENERATION(g) && ON_PARENT(e, parent) && NO_ROW_OF(e))
#define IS_DECIDED(e, a) (lastEpoch == (e) && lastDecision == (a))

inline decide(e, a, isCurrent) {
  assert(decidedBy[e] == 0);                                   /* I1: at most one decision for an epoch */
  decidedBy[e] = a;
  lastEpoch = e; lastDecision = a;
#ifdef COMMITTED_EARLY
  lastCommitted = e;
#else
  lastCommitted = e - 1;
#endif
  committable[ID(e)] = (isCurrent -> e : committable[ID(e)])
}

#ifdef MARKER_EQUALS
#define REACHED(value, e) ((value) == (e))
#else
#define REACHED(value, e) ((value) >= (e))
#endif

/* Reads the marker as it stands, which may be as it stood. */
inline read(i) {
  if
  :: shown[i] = marker[i]
  :: shown[i] != marker[i]
  fi
}

/* Waits for a stable marker; while something is open there is none. */
inline readStable(i) {
#ifdef UNSTABLE_READ
  read(i)
#else
  shown[i] = marker[i]
#endif
}

#ifdef UNSTABLE_READ
#define STABLE(i) true
#else
#define STABLE(i) (openEpoch[i] == 0)
#endif

/* Staged output may be deleted as soon as its epoch is recorded as COMMITTED. */
inline mayRead(e) {
#ifndef NOT_COLLECTED
  assert(lastCommitted < e)                                    /* I7: staged output that is sent again is still there */
#else
  true
#endif
}

/* The function goes on without its caller, from this step. */
inline leave(step, e, a) {
  faults--;
  zombieStep = step; zombieEpoch = e; zombieAttempt = a; zombieHolds = HOLDS(ID(e));
  HOLDS(ID(e)) = false
}

inline forget() {
  HOLDS(0) = false; HOLDS(1) = false;
  MY_EPOCH = 0; MY_DECISION = 0; MY_ATTEMPT = 0;
  MY_GENERATION = 0; recovering = false
}

inline crash() {
  faults--; forget();
  printf("coordinator %d crashes\n", ME)
}

inline giveWay() {
  printf("coordinator %d (generation %d) is superseded by generation %d and ends\n", ME, MY_GENERATION, generation);
  forget()
}

active [2] proctype Coordinator() {
  byte number;
  bool recovering;
#ifdef SINK_NOT_SERIAL
  bool ahead;
#endif

end_down:
#ifdef READ_BEFORE_RAISE
  atomic {
    generation < STARTS && (ME == 0 || generation > 0) ->
    MY_EPOCH = lastEpoch; MY_DECISION = lastDecision; recovering = lastCommitted < lastEpoch
  }
end_read:
  atomic {
    generation < STARTS ->
    generation++; MY_GENERATION = generation;
#else
  atomic {
    generation < STARTS && (ME == 0 || generation > 0) ->
    generation++; MY_GENERATION = generation;
    MY_EPOCH = lastEpoch; MY_DECISION = lastDecision; recovering = lastCommitted < lastEpoch;
#endif
    printf("coordinator %d starts: generation %d, last completed epoch %d\n", ME, MY_GENERATION, MY_EPOCH);
    if :: recovering :: else -> goto settle fi
  }

commit:
  atomic {
    if
    :: committable[ID(MY_EPOCH)] == MY_EPOCH && (openEpoch[ID(MY_EPOCH)] > 0 || ended[ID(MY_EPOCH)]) ->
       if
       :: printf("coordinator %d commits epoch %d: OK\n", ME, MY_EPOCH); endTxn(ID(MY_EPOCH)); goto isCommitted
       :: faults > 0 -> printf("coordinator %d commits epoch %d, and the answer is lost\n", ME, MY_EPOCH); faults--; endTxn(ID(MY_EPOCH))
       :: faults > 0 -> printf("coordinator %d commits epoch %d, and the request is late\n", ME, MY_EPOCH); faults--; lateCommit[ID(MY_EPOCH)] = true
       fi
    :: else -> printf("coordinator %d commits epoch %d: refused\n", ME, MY_EPOCH)
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }

doubt:
  atomic {
    HOLDS(ID(MY_EPOCH)) = false;
    if
#ifdef ANY_ANSWER_COMMITS
    :: true -> goto isCommitted
#endif
#ifdef NO_CHECK
    :: true ->
#else
    :: generation != MY_GENERATION -> giveWay(); goto end_down
    :: generation == MY_GENERATION ->
#endif
       read(ID(MY_EPOCH));
       printf("coordinator %d resolves epoch %d: the marker says %d\n", ME, MY_EPOCH, shown[ID(MY_EPOCH)]);
       if :: REACHED(shown[ID(MY_EPOCH)], MY_EPOCH) -> goto isCommitted :: else fi
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
  atomic {
    if
    :: printf("coordinator %d resolves epoch %d: InitProducerId\n", ME, MY_EPOCH); fence(ID(MY_EPOCH)); HOLDS(ID(MY_EPOCH)) = true
    :: MAY_LEAVE -> printf("coordinator %d gives up a resolver of epoch %d before its InitProducerId\n", ME, MY_EPOCH); leave(R_INIT, MY_EPOCH, MY_DECISION); goto doubt
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
#ifndef NO_MARKER_CHECK
  atomic {
    if
    :: STABLE(ID(MY_EPOCH)) ->
       readStable(ID(MY_EPOCH));
       printf("coordinator %d resolves epoch %d: the stable marker says %d\n", ME, MY_EPOCH, shown[ID(MY_EPOCH)]);
       if :: REACHED(shown[ID(MY_EPOCH)], MY_EPOCH) -> goto isCommitted :: else fi
    :: !STABLE(ID(MY_EPOCH)) -> printf("coordinator %d resolves epoch %d: no stable marker until the deadline\n", ME, MY_EPOCH); goto doubt
    :: MAY_LEAVE -> printf("coordinator %d gives up a resolver of epoch %d before its second reading\n", ME, MY_EPOCH); leave(R_READ, MY_EPOCH, MY_DECISION); goto doubt
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
#endif
#ifdef INIT_AGAIN
  atomic {
    if
    :: printf("coordinator %d resolves epoch %d: another InitProducerId\n", ME, MY_EPOCH); fence(ID(MY_EPOCH)); HOLDS(ID(MY_EPOCH)) = true
    :: MAY_LEAVE -> printf("coordinator %d gives up a resolver of epoch %d before its other InitProducerId\n", ME, MY_EPOCH); leave(R_AGAIN, MY_EPOCH, MY_DECISION); goto doubt
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
#endif
  atomic {
    if
    :: HOLDS(ID(MY_EPOCH)) ->
       mayRead(MY_EPOCH);
       send(ID(MY_EPOCH), MY_EPOCH, MY_DECISION); printf("coordinator %d sends epoch %d again\n", ME, MY_EPOCH)
    :: !HOLDS(ID(MY_EPOCH)) -> goto doubt
    :: MAY_LEAVE -> printf("coordinator %d gives up a resolver of epoch %d before it sends\n", ME, MY_EPOCH); leave(R_SEND, MY_EPOCH, MY_DECISION); goto doubt
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
  atomic {
    if
    :: HOLDS(ID(MY_EPOCH)) ->
       if
       :: printf("coordinator %d commits epoch %d, sent again: OK\n", ME, MY_EPOCH); endTxn(ID(MY_EPOCH)); goto isCommitted
       :: faults > 0 -> printf("coordinator %d commits epoch %d, sent again, and the answer is lost\n", ME, MY_EPOCH); faults--; endTxn(ID(MY_EPOCH)); goto doubt
       :: faults > 0 -> printf("coordinator %d commits epoch %d, sent again, and the request is late\n", ME, MY_EPOCH); faults--; lateCommit[ID(MY_EPOCH)] = true; goto doubt
       fi
    :: !HOLDS(ID(MY_EPOCH)) -> goto doubt
    :: MAY_LEAVE -> printf("coordinator %d gives up a resolver of epoch %d before its EndTxn\n", ME, MY_EPOCH); leave(R_END, MY_EPOCH, MY_DECISION); goto doubt
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }

isCommitted:
  atomic {
    assert(committed[MY_EPOCH]);                               /* I2: what counts as COMMITTED is committed */
#ifdef MARKER_APART
    marker[ID(MY_EPOCH)] = MY_EPOCH;
#endif
    HOLDS(ID(MY_EPOCH)) = false;
    if
    :: recovering || MY_EPOCH == EPOCHS ->
       if
       :: generation == MY_GENERATION -> printf("coordinator %d records epoch %d as COMMITTED\n", ME, MY_EPOCH); lastCommitted = MY_EPOCH
       :: generation != MY_GENERATION -> giveWay(); goto end_down
       :: MAY_CRASH -> crash(); goto end_down
       fi;
       if :: recovering -> recovering = false; goto settle :: else -> goto end_done fi
    :: else /* the next decision records it */
#ifdef SINK_NOT_SERIAL
       if :: ahead -> ahead = false; goto deciding :: else -> goto prepare fi
#else
       goto prepare
#endif
    fi
  }

settle:
  atomic {
    if
    :: true
    :: MAY_CRASH -> crash(); goto end_down
    fi;
#ifdef NO_SETTLE
    openedSince[0] = false
#else
    fence(0)
#endif
  }
  atomic {
#ifdef NO_SETTLE
    openedSince[1] = false;
#else
    fence(1);
    printf("coordinator %d has settled both ids\n", ME);
#endif
    if :: MY_EPOCH == EPOCHS -> goto end_done :: else fi
  }

prepare:
  atomic {
    newAttempt(MY_EPOCH + 1);
    if
#ifdef REUSED_IDENTITY
    :: ended[ID(MY_EPOCH + 1)] -> printf("coordinator %d begins attempt %d at epoch %d under the identity of the transaction before\n", ME, MY_ATTEMPT, MY_EPOCH + 1); HOLDS(ID(MY_EPOCH + 1)) = true
    :: !ended[ID(MY_EPOCH + 1)] ->
#else
    :: true ->
#endif
       fence(ID(MY_EPOCH + 1)); HOLDS(ID(MY_EPOCH + 1)) = true; printf("coordinator %d begins attempt %d at epoch %d: InitProducerId\n", ME, MY_ATTEMPT, MY_EPOCH + 1)
    :: MAY_LEAVE -> printf("coordinator %d gives up attempt %d at epoch %d before its InitProducerId\n", ME, MY_ATTEMPT, MY_EPOCH + 1); leave(P_INIT, MY_EPOCH + 1, MY_ATTEMPT); goto prepare
    :: MAY_LEAVE -> printf("coordinator %d begins attempt %d at epoch %d, and the function is invoked twice\n", ME, MY_ATTEMPT, MY_EPOCH + 1); leave(P_INIT, MY_EPOCH + 1, MY_ATTEMPT); fence(ID(MY_EPOCH + 1)); HOLDS(ID(MY_EPOCH + 1)) = true
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
  atomic {
    if
    :: HOLDS(ID(MY_EPOCH + 1)) -> printf("coordinator %d has prepared attempt %d at epoch %d\n", ME, MY_ATTEMPT, MY_EPOCH + 1); send(ID(MY_EPOCH + 1), MY_EPOCH + 1, MY_ATTEMPT)
    :: HOLDS(ID(MY_EPOCH + 1)) && faults > 0 -> /* too late to be decided: its transaction is aborted, now or some time */
       faults--;
       send(ID(MY_EPOCH + 1), MY_EPOCH + 1, MY_ATTEMPT);
       if :: close(ID(MY_EPOCH + 1)) :: lateAbort[ID(MY_EPOCH + 1)] = true fi;
       HOLDS(ID(MY_EPOCH + 1)) = false;
       printf("coordinator %d gives up attempt %d at epoch %d after it was prepared\n", ME, MY_ATTEMPT, MY_EPOCH + 1); goto prepare
    :: !HOLDS(ID(MY_EPOCH + 1)) && generation == MY_GENERATION -> printf("coordinator %d: attempt %d at epoch %d is fenced\n", ME, MY_ATTEMPT, MY_EPOCH + 1); goto prepare
    :: !HOLDS(ID(MY_EPOCH + 1)) && generation != MY_GENERATION -> giveWay(); goto end_down
    :: !HOLDS(ID(MY_EPOCH + 1)) && generation != MY_GENERATION && faults > 0 -> faults--; goto prepare /* it has not looked at the row yet */
    :: MAY_LEAVE -> printf("coordinator %d gives up attempt %d at epoch %d before it sends\n", ME, MY_ATTEMPT, MY_EPOCH + 1); leave(P_SEND, MY_EPOCH + 1, MY_ATTEMPT); goto prepare
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
#ifdef SINK_NOT_SERIAL
  if :: ahead -> goto commit :: else fi;
#endif

deciding:
  atomic {
    if
    :: MAY_DECIDE(MY_GENERATION, MY_EPOCH + 1, MY_DECISION) && !IS_DECIDED(MY_EPOCH + 1, MY_ATTEMPT) ->
       if
       :: printf("coordinator %d decides attempt %d at epoch %d\n", ME, MY_ATTEMPT, MY_EPOCH + 1); decide(MY_EPOCH + 1, MY_ATTEMPT, HOLDS(ID(MY_EPOCH + 1)))
       :: faults > 0 -> printf("coordinator %d decides attempt %d at epoch %d, and the answer is lost\n", ME, MY_ATTEMPT, MY_EPOCH + 1); faults--; decide(MY_EPOCH + 1, MY_ATTEMPT, HOLDS(ID(MY_EPOCH + 1))); goto ambiguous
       :: faults > 0 && lateEpoch == 0 ->
          faults--; lateGeneration = MY_GENERATION; lateParent = MY_DECISION; lateEpoch = MY_EPOCH + 1; lateAttempt = MY_ATTEMPT; lateHolds = HOLDS(ID(MY_EPOCH + 1));
          printf("coordinator %d decides attempt %d at epoch %d, and the request is late\n", ME, MY_ATTEMPT, MY_EPOCH + 1); goto ambiguous
       fi
    :: IS_DECIDED(MY_EPOCH + 1, MY_ATTEMPT) -> printf("coordinator %d finds its decision of epoch %d\n", ME, MY_EPOCH + 1)
    :: !MAY_DECIDE(MY_GENERATION, MY_EPOCH + 1, MY_DECISION) && !IS_DECIDED(MY_EPOCH + 1, MY_ATTEMPT) ->
       printf("coordinator %d: the decision of epoch %d is refused; the row has generation %d, epoch %d, decision %d\n", ME, MY_EPOCH + 1, generation, lastEpoch, lastDecision);
       assert(generation != MY_GENERATION);                    /* I6: who is refused has been superseded, else it could neither go on nor give way */
       giveWay(); goto end_down
    :: MAY_CRASH -> crash(); goto end_down
    fi;
    HOLDS(ID(MY_EPOCH + 1)) = false;
    MY_EPOCH++; MY_DECISION = MY_ATTEMPT; MY_ATTEMPT = 0;
#ifdef SINK_NOT_SERIAL
    if :: MY_EPOCH < EPOCHS -> ahead = true; goto prepare :: else fi;
#endif
    goto commit
  }

ambiguous:
#ifdef AMBIGUOUS_IS_FAILED
  goto prepare;
#else
  goto deciding;
#endif

end_done:
#ifdef RESTORE
  atomic { generation + 1 < STARTS -> printf("coordinator %d stops\n", ME); forget(); goto end_down }
#else
  false
#endif
}

#define ZID ID(zombieEpoch)

/* What happens by itself. */
active proctype World() {
  byte i;
end_world:
  do
  /* The function that nobody waits for does its next step. */
  :: atomic { zombieStep > 0 ->
     if
     :: zombieStep == P_INIT -> printf("zombie attempt %d at epoch %d: InitProducerId\n", zombieAttempt, zombieEpoch); fence(ZID); zombieHolds = true; zombieStep = P_SEND
     :: zombieStep == P_SEND && zombieHolds -> printf("zombie attempt %d at epoch %d: sends\n", zombieAttempt, zombieEpoch); send(ZID, zombieEpoch, zombieAttempt); zombieStep = 0
     :: zombieStep == R_INIT -> printf("zombie resolver of epoch %d: InitProducerId\n", zombieEpoch); fence(ZID); zombieHolds = true; zombieStep = R_READ
#ifdef NO_MARKER_CHECK
     :: zombieStep == R_READ -> zombieStep = R_SEND
#else
     :: zombieStep == R_READ && STABLE(ZID) ->
        readStable(ZID);
        printf("zombie resolver of epoch %d: the stable marker says %d\n", zombieEpoch, shown[ZID]);
#ifdef INIT_AGAIN
        zombieStep = (REACHED(shown[ZID], zombieEpoch) -> 0 : R_AGAIN)
#else
        zombieStep = (REACHED(shown[ZID], zombieEpoch) -> 0 : R_SEND)
#endif
     :: zombieStep == R_READ && !STABLE(ZID) -> zombieStep = 0
#endif
#ifdef INIT_AGAIN
     :: zombieStep == R_AGAIN -> printf("zombie resolver of epoch %d: another InitProducerId\n", zombieEpoch); fence(ZID); zombieHolds = true; zombieStep = R_SEND
#endif
     :: zombieStep == R_SEND && zombieHolds -> printf("zombie resolver of epoch %d: sends\n", zombieEpoch); mayRead(zombieEpoch); send(ZID, zombieEpoch, zombieAttempt); zombieStep = R_END
     :: zombieStep == R_END && zombieHolds -> printf("zombie resolver of epoch %d: EndTxn\n", zombieEpoch); endTxn(ZID); zombieStep = 0
     :: (zombieStep == P_SEND || zombieStep == R_SEND || zombieStep == R_END) && !zombieHolds -> zombieStep = 0
     fi;
     if :: zombieStep == 0 -> zombieEpoch = 0; zombieAttempt = 0; zombieHolds = false :: else fi }
  :: atomic { zombieStep > 0 -> zombieStep = 0; zombieEpoch = 0; zombieAttempt = 0; zombieHolds = false }

  /* What was sent arrives, or never does. */
  :: atomic { lateCommit[0] || lateCommit[1] ->
     if :: lateCommit[0] -> i = 0 :: lateCommit[1] -> i = 1 fi;
     lateCommit[i] = false;
     if :: endTxn(i); printf("the late EndTxn(commit) of id %d arrives\n", i) :: true fi;
     i = 0 }
  :: atomic { lateAbort[0] || lateAbort[1] ->
     if :: lateAbort[0] -> i = 0 :: lateAbort[1] -> i = 1 fi;
     lateAbort[i] = false;
     if :: close(i); printf("the late EndTxn(abort) of id %d arrives\n", i) :: true fi;
     i = 0 }
  :: atomic { lateEpoch > 0 ->
     if
     :: MAY_DECIDE(lateGeneration, lateEpoch, lateParent) -> printf("the late decision of epoch %d, attempt %d, arrives\n", lateEpoch, lateAttempt); decide(lateEpoch, lateAttempt, lateHolds)
     :: true
     fi;
     lateGeneration = 0; lateParent = 0; lateEpoch = 0; lateAttempt = 0; lateHolds = false }

  /* The broker aborts what is open for too long. */
  :: atomic { openEpoch[0] > 0 && faults > 0 -> faults--; fence(0); printf("the broker aborts the open transaction of id 0\n") }
  :: atomic { openEpoch[1] > 0 && faults > 0 -> faults--; fence(1); printf("the broker aborts the open transaction of id 1\n") }
  od
}

#ifdef RESTORE
/*
 * A restore from the epoch before the last: what came after it never was, and is done again in a new incarnation. Who
 * still runs in the old one works on other ids, so that it is enough to restore while no coordinator is up.
 */
active proctype Restore() {
end_restore:
  do
  :: atomic { generation + 1 < STARTS && lastEpoch > 0 && lastCommitted == lastEpoch && ownGeneration[0] == 0 && ownGeneration[1] == 0 ->
     generation++;
     decidedBy[lastEpoch] = 0; committed[lastEpoch] = false;
     lastEpoch--; lastDecision = decidedBy[lastEpoch]; lastCommitted = lastEpoch;
     fence(0); fence(1);
#ifndef NO_INCARNATION
     marker[0] = 0; marker[1] = 0; shown[0] = 0; shown[1] = 0;
#endif
     zombieStep = 0; zombieEpoch = 0; zombieAttempt = 0; zombieHolds = false;
     lateGeneration = 0; lateParent = 0; lateEpoch = 0; lateAttempt = 0; lateHolds = false;
     printf("the job is restored from epoch %d: generation %d, a new incarnation\n", lastEpoch, generation) }
  od
}
#endif

/*
 * I6. When nothing more can happen, all is decided and committed, and whatever is still open was opened by a zombie
 * after the last settlement. As there is no cycle either, this is "eventually", for every schedule.
 */
active proctype Quiescence() {
  byte e;
end_quiescence:
  timeout ->
  for (e : 1 .. EPOCHS) {
    assert(committed[e])                                       /* I6: every epoch is committed in the end */
  }
  assert(openEpoch[0] == 0 || openedSince[0]);                 /* I6: no transaction is left open that a settlement came after */
  assert(openEpoch[1] == 0 || openedSince[1])                  /* I6: no transaction is left open that a settlement came after */
}
