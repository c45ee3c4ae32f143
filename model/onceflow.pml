/*
 * The protocol of docs/protocol.md, as far as crashes, zombies, lost answers and forgotten ends can reach it: coordinators,
 * the job row, one sink subtask that writes two partitions, its transactional ids, and the broker. `npm run model` checks
 * it; model/README.md says what is left out and what the bound is.
 *
 * Two things are not numbers here, so that the states are few and an endless retry is a cycle that can be found:
 *
 * - Producer epochs. All that the transaction coordinator asks of a request's identity is whether it is the current one of
 *   its transactional id. So every holder of an identity has one bit, and InitProducerId clears those of all others.
 * - Offsets. All that a look asks is how the transaction ended in which its own records are. What is open of one id in one
 *   partition is one transaction, and ends at once. So every holder of a committable has the fate of its records, and an
 *   end that is written to the partition changes that of all whose records are open there. A holder that looks is given it.
 */

#ifndef EPOCHS
#define EPOCHS 3 /* epochs 1 .. EPOCHS are to be decided and committed */
#endif
#ifndef FAULTS
#define FAULTS 2 /* crashes, timeouts, forgotten ends, zombies, lost and late requests: so many altogether */
#endif
#ifndef STARTS
#define STARTS 2 /* generations: how often a coordinator starts, each at any moment */
#endif
/* FINE: an attempt is three steps of the coordinator that waits for it: InitProducerId, sending, the check. Otherwise it is one. */
#ifndef IDS
#define IDS 2    /* transactional ids of the subtask, used in turn; the protocol has two */
#endif
#if IDS == 1
#define ID(e) 0
#else
#define ID(e) ((e) % 2)
#endif
#define AT(i, p) (2 * (i) + (p))
#define BOTH 3   /* sets of partitions are bits */
#define BIT(p) (1 << (p))

/* Fates of a committable's records in a partition. */
#define NONE 0      /* it has none there */
#define OPEN 1
#define COMMITTED 2
#define ABORTED 3

/* Steps of functions that a zombie may stand at. */
#define P_INIT 1
#define P_ADD 2
#define SEND_0 3
#define SEND_1 4
#define R_INIT 5
#define R_ACT 6
#define R_END 7

/* What the network may deliver late. */
#define A_DECISION 1
#define A_RECORD 2

/* Who crashes does nothing until its successor starts, and nothing after: as one that pauses, is superseded, and ends. */
#define MAY_CRASH (generation != MY_GENERATION)
#define MAY_LEAVE (faults > 0) /* the one before has died then */
#define ME _pid
#define MY_GENERATION ownGeneration[_pid]
#define MY_EPOCH epoch[_pid]
#define MY_ATTEMPT attempt[_pid]
#define MY_ID ID(MY_EPOCH)
#define NEXT_ID ID(MY_EPOCH + 1)

/* ---- Who holds a committable, or the identity for one: bit 0 = the identity is current, then the fates, then the id ---- */
#define VIEW _pid         /* a coordinator: the newest of its last epoch, as it knows it */
#define FRESH (2 + _pid)  /* a coordinator: what it prepares, or sends again */
#define ROW 4             /* the job row: the newest of the last epoch */
#define LATE 5            /* a write that is late */
#define ZOMBIE 6
#define MANIFEST 7        /* of mutants: the decision's own, */
#define AHEAD (7 + _pid)  /* and what a coordinator has prepared before its turn */
#if defined(START_JUDGES_BY_MANIFEST)
#define HOLDERS 8
#elif defined(SINK_NOT_SERIAL)
#define HOLDERS 9
#else
#define HOLDERS 7
#endif
byte hol[HOLDERS];
#define CUR(h) (hol[h] & 1)
#define FATE(h, p) ((hol[h] >> (1 + 2 * (p))) & 3)
#define HELD_ID(h) (hol[h] >> 5)
#define SET_FATE(h, p, f) hol[h] = (hol[h] & (255 - (3 << (1 + 2 * (p))))) | ((f) << (1 + 2 * (p)))
#define WITH_FATE(h, f) ((FATE(h, 0) == (f) -> 1 : 0) | (FATE(h, 1) == (f) -> 2 : 0))
#ifdef LOOK_IN_ONE
#define ALL_COMMITTED(h) (FATE(h, 0) == COMMITTED)
#else
#define ALL_COMMITTED(h) (WITH_FATE(h, OPEN) == 0 && WITH_FATE(h, ABORTED) == 0)
#endif

/* ---- The store: the job row. An epoch is decided once it is in there; the attempt that was decided has number 1 then ---- */
byte generation;
byte lastEpoch;             /* lastCompleted */
byte lastCommitted;
byte recordedOf;            /* sentAgain: of which epoch the last record is, 0 = there is none */
bool sawNone[3];            /* by coordinator, and of the late write: it has seen no record of its epoch */
bool sawNewest[3];          /*   the one that it has seen is still the last */
bool mine[2];               /* a late record that was applied is that which this coordinator is writing */

/* ---- The broker: by transactional id ---- */
byte parts[IDS];            /* the partitions of the open transaction, 0 = none is */
bool lateCommit[IDS];       /* an EndTxn of the current identity that the network delivers late, or never */
bool lateAbort[IDS];
#ifdef ANSWER_COMMITS
bool ended[IDS];            /* the current identity has committed: EndTxn is answered OK again */
#endif

/* ---- The broker: by transactional id and partition ---- */
#define MIXED 255
#define CONTENT(e, a) (16 * (e) + (a))
#define EPOCH_OF(c) ((c) >> 4)
#define ATTEMPT_OF(c) ((c) & 15)
byte content[2 * IDS];      /* whose records are open: of which epoch and attempt, or MIXED; 0 = none */
bool behind[2 * IDS];       /* data of an earlier epoch was sent later than it */
bool since[2 * IDS];        /* it was opened after the last settlement */

/* ---- What a reader of committed data has seen of a partition: the epochs up to this one ---- */
byte visible[2];

/* ---- A write to the row that is late ---- */
byte lateKind;              /* 0 = none */
byte lateGeneration, lateEpoch, lateAttempt;
bool lateIsNew;             /* a record: what it writes was not recorded yet */

/* ---- A function that runs on though nobody waits for it: given up, orphaned by a crash, or invoked twice ---- */
byte zombieStep;            /* 0 = none */
byte zombieEpoch, zombieAttempt;
byte verified;              /* partitions that take a batch of it: verified with the transaction coordinator, and nothing newer came */

/* ---- Coordinators: the last completed epoch as they know it, and the attempt at the next one ---- */
byte ownGeneration[2];      /* 0 = down */
byte epoch[2], attempt[2];

byte faults = FAULTS;
byte forgets;               /* within a step */
byte h;                     /* within a loop */

/* The end of the open transaction of id i is written to partition p. Here output becomes visible, and here the invariants are asserted. */
inline writeEnd(i, p, how) {
  if
  :: how == COMMITTED && content[AT(i, p)] != 0 ->
     assert(content[AT(i, p)] != MIXED);                           /* I2: nothing else is committed with it */
     assert(EPOCH_OF(content[AT(i, p)]) <= lastEpoch);             /* I4: the epoch is decided */
     assert(ATTEMPT_OF(content[AT(i, p)]) == 1);                   /* I2: the output of the decided attempt */
     assert(EPOCH_OF(content[AT(i, p)]) > visible[p]);             /* I2: once */
     assert(EPOCH_OF(content[AT(i, p)]) == visible[p] + 1);        /* I5: in the order of epochs */
     assert(!behind[AT(i, p)]);                                    /* I5: in the log too */
     visible[p] = EPOCH_OF(content[AT(i, p)])
  :: else
  fi;
  h = 0;
  do
  :: h < HOLDERS ->
     if
     :: HELD_ID(h) == i && FATE(h, p) == OPEN -> SET_FATE(h, p, how)
     :: else
     fi;
     h++
  :: else -> break
  od;
  if
  :: ID(zombieEpoch) == i -> verified = verified & (3 - BIT(p))
  :: else
  fi;
  content[AT(i, p)] = 0; behind[AT(i, p)] = false; since[AT(i, p)] = false;
  h = 0
}

/* The open transaction of id i ends. The broker may forget its end in any of its partitions, and answers OK all the same. */
inline endTransaction(i, how) {
  if
  :: forgets = 0
  :: faults > 0 && (parts[i] & 1) -> faults--; forgets = 1; printf("the broker forgets the end in partition 0\n")
  :: faults > 0 && (parts[i] & 2) -> faults--; forgets = 2; printf("the broker forgets the end in partition 1\n")
  :: faults > 0 && parts[i] == 3 -> faults--; forgets = 3; printf("the broker forgets the end in both partitions\n")
  fi;
  d_step {
    if
    :: (parts[i] & 1) && !(forgets & 1) -> writeEnd(i, 0, how)
    :: else
    fi;
    if
    :: (parts[i] & 2) && !(forgets & 2) -> writeEnd(i, 1, how)
    :: else
    fi;
    parts[i] = 0; forgets = 0;
#ifdef ANSWER_COMMITS
    ended[i] = how == COMMITTED
#endif
  }
}

/* InitProducerId, or the broker's own timeout: what is open in the transaction is aborted, and every identity of the id is stale. */
inline fence(i) {
  if
  :: parts[i] != 0 -> endTransaction(i, ABORTED)
  :: else
  fi;
  d_step {
    h = 0;
    do
    :: h < HOLDERS ->
       if
       :: HELD_ID(h) == i -> hol[h] = hol[h] & 254
       :: else
       fi;
       h++
    :: else -> break
    od;
    h = 0;
#ifdef ANSWER_COMMITS
    ended[i] = false;
#endif
    lateCommit[i] = false; lateAbort[i] = false
  }
}

/* Records are appended to partition p. What is open there takes them in. */
inline append(i, p, e, a) {
  content[AT(i, p)] = (content[AT(i, p)] == 0 -> CONTENT(e, a) : MIXED);
  since[AT(i, p)] = true;
  if
  :: ID(zombieEpoch) == i -> verified = verified & (3 - BIT(p))
  :: else
  fi;
#if IDS == 2
  if
  :: content[AT(1 - i, p)] != 0 && content[AT(1 - i, p)] != MIXED && EPOCH_OF(content[AT(1 - i, p)]) > e && visible[p] < e -> behind[AT(1 - i, p)] = true
  :: else
  fi
#endif
}

/* Staged output for these partitions is sent under the current identity, which the holder has. */
inline send(who, i, set, e, a) {
  d_step {
    parts[i] = parts[i] | (set);
    if
    :: (set) & 1 -> append(i, 0, e, a); SET_FATE(who, 0, OPEN)
    :: else
    fi;
    if
    :: (set) & 2 -> append(i, 1, e, a); SET_FATE(who, 1, OPEN)
    :: else
    fi
  }
}

/* EndTxn of what this holder's identity has open. */
inline endTxn(who, i, how) {
  if
  :: CUR(who) && parts[i] != 0 -> endTransaction(i, how)
  :: else
  fi
}

/*
 * The check of what was prepared: where it wrote, the open transaction holds its own records alone; elsewhere nothing is open
 * under the id.
 */
#define OPEN_IN(i, p) (content[AT(i, p)] != 0)
#if defined(NO_CHECK_OF_ENDED)
#define ALONE(who, i, p) (content[AT(i, p)] != MIXED)
#elif defined(NO_CHECK_OF_JOINED)
#define ALONE(who, i, p) (FATE(who, p) == OPEN)
#else
#define ALONE(who, i, p) (FATE(who, p) == OPEN && content[AT(i, p)] != MIXED)
#endif
#ifdef NO_CHECK_OF_LEFT
#define SOUND_IN(who, i, p) (FATE(who, p) == NONE || ALONE(who, i, p))
#else
#define SOUND_IN(who, i, p) (FATE(who, p) == NONE -> !OPEN_IN(i, p) : ALONE(who, i, p))
#endif
#define SOUND(who, i) (SOUND_IN(who, i, 0) && SOUND_IN(who, i, 1))
#define LEFT_IN(who, i, p) (FATE(who, p) == NONE && OPEN_IN(i, p) -> BIT(p) : 0)

/* What was prepared is given up: aborted, with what was left open beside it, now, or some time, or not at all. */
inline abortPrepared(who, i) {
  if
  :: CUR(who) -> parts[i] = parts[i] | LEFT_IN(who, i, 0) | LEFT_IN(who, i, 1)
  :: else
  fi;
  if
  :: endTxn(who, i, ABORTED)
  :: CUR(who) && faults > 0 -> faults--; lateAbort[i] = true
  fi;
  hol[who] = 0
}

/* The smallest number that no attempt at epoch e has to which anything still refers. */
#define IN_CONTENT(a, e) (content[AT(ID(e), 0)] == CONTENT(e, a) || content[AT(ID(e), 1)] == CONTENT(e, a))
#define TAKEN(a, e) ((lastEpoch >= (e) && (a) == 1) || \
  (epoch[0] + 1 == (e) && attempt[0] == (a)) || (epoch[1] + 1 == (e) && attempt[1] == (a)) || \
  (zombieEpoch == (e) && zombieAttempt == (a)) || (lateEpoch == (e) && lateAttempt == (a)) || IN_CONTENT(a, e))

inline newAttempt(e) {
  d_step {
    MY_ATTEMPT = 0;
    h = 1;
    do
    :: TAKEN(h, e) -> h++
    :: else -> break
    od;
    MY_ATTEMPT = h;
    h = 0
  }
}

/* The conditions of the transaction that decides. */
#ifdef NO_GENERATION
#define OF_GENERATION(g) true
#else
#define OF_GENERATION(g) (generation == (g))
#endif
#if defined(NO_PARENT) || defined(NO_PARENT_NOR_ROW)
#define ON_PARENT(e) true
#else
#define ON_PARENT(e) (lastEpoch == (e) - 1)
#endif
#if defined(NO_ROW) || defined(NO_PARENT_NOR_ROW)
#define NO_ROW_OF(e) true
#else
#define NO_ROW_OF(e) (lastEpoch < (e))
#endif
#define MAY_DECIDE(g, e) (OF_GENERATION(g) && ON_PARENT(e) && NO_ROW_OF(e))
#define IS_DECIDED(e, a) (lastEpoch == (e) && (a) == 1)

/* Numbers of attempts are only compared: that of the decided one and 1 change places. */
#define SWAPPED(n, a) ((n) == 1 -> (a) : ((n) == (a) -> 1 : (n)))
#define SWAP_CONTENT(i, p, e, a) \
  if \
  :: EPOCH_OF(content[AT(i, p)]) == (e) -> content[AT(i, p)] = CONTENT(e, SWAPPED(ATTEMPT_OF(content[AT(i, p)]), a)) \
  :: else \
  fi

inline decide(e, a, from) {
  d_step {
    assert(lastEpoch < e);                                         /* I1: at most one decision for an epoch */
    h = a;
    if :: epoch[0] + 1 == e -> attempt[0] = SWAPPED(attempt[0], h) :: else fi;
    if :: epoch[1] + 1 == e -> attempt[1] = SWAPPED(attempt[1], h) :: else fi;
    if :: zombieEpoch == e -> zombieAttempt = SWAPPED(zombieAttempt, h) :: else fi;
    if :: lateEpoch == e -> lateAttempt = SWAPPED(lateAttempt, h) :: else fi;
    SWAP_CONTENT(ID(e), 0, e, h);
    SWAP_CONTENT(ID(e), 1, e, h);
    h = 0;
    lastEpoch = e;
#ifdef COMMITTED_EARLY
    lastCommitted = e;
#else
    lastCommitted = e - 1;
#endif
#ifdef START_JUDGES_BY_MANIFEST
    hol[MANIFEST] = hol[from];
#endif
    hol[ROW] = hol[from];
    recordedOf = (lateKind == A_RECORD -> recordedOf : 0) /* nobody else asks for a record of an earlier epoch */
  }
}

/* The conditions of the write that records what was sent again. */
#ifdef RECORD_OF_ANY_GENERATION
#define RECORD_GENERATION(g) true
#else
#define RECORD_GENERATION(g) (generation == (g))
#endif
#ifdef RECORD_OF_ANY_EPOCH
#define RECORD_EPOCH(e) true
#else
#define RECORD_EPOCH(e) (lastEpoch == (e))
#endif
#ifdef RECORD_OVER_ANY
#define RECORD_OVER(e, n) true
#else
#define RECORD_OVER(e, n) (sawNone[n] -> recordedOf != (e) : sawNewest[n])
#endif
#define MAY_RECORD(g, e, n) (RECORD_GENERATION(g) && RECORD_EPOCH(e) && RECORD_OVER(e, n))

inline record(from, e, n) {
  d_step {
    hol[ROW] = hol[from];
    /* A coordinator that is writing this very record repeats it until it is there. */
    mine[0] = n == 2 && lateIsNew && lateGeneration == ownGeneration[0];
    mine[1] = n == 2 && lateIsNew && lateGeneration == ownGeneration[1];
    recordedOf = e;
    sawNewest[0] = false; sawNewest[1] = false; sawNewest[2] = false;
    if
    :: n < 2 -> sawNewest[n] = true; sawNone[n] = false; lateIsNew = false
    :: else
    fi
  }
}

inline forgetLate() {
  lateKind = 0; lateGeneration = 0; lateEpoch = 0; lateAttempt = 0; hol[LATE] = 0; sawNewest[2] = false; sawNone[2] = false; lateIsNew = false
}

inline forgetZombie() {
  zombieStep = 0; zombieEpoch = 0; zombieAttempt = 0; verified = 0; hol[ZOMBIE] = 0
}

/* The function goes on without its caller, from its first step. */
inline leave(step, e, a) {
  faults--;
  zombieStep = step; zombieEpoch = e; zombieAttempt = a; verified = 0;
  hol[ZOMBIE] = (step == R_INIT -> hol[VIEW] & 254 : ID(e) << 5)
}

inline forget() {
  hol[VIEW] = 0; hol[FRESH] = 0; sawNewest[ME] = false; sawNone[ME] = false; mine[ME] = false;
  MY_EPOCH = 0; MY_ATTEMPT = 0; MY_GENERATION = 0; recovering = false; asked = false; settling = 0
#ifdef SINK_NOT_SERIAL
  ; ahead = false; hol[AHEAD] = 0
#endif
#ifdef LOOK_BEFORE_FENCE
  ; early = 0
#endif
}

inline crash() {
  printf("coordinator %d has crashed\n", ME);
  forget()
}

inline giveWay() {
  printf("coordinator %d (generation %d) is superseded by generation %d and ends\n", ME, MY_GENERATION, generation);
  forget()
}

/* A committable that the log shows as committed everywhere, or what is taken for one. */
#if defined(ANSWER_COMMITS)
#define SEEMS_COMMITTED (ALL_COMMITTED(VIEW) || (CUR(VIEW) && ended[MY_ID]))
#elif defined(OPEN_IS_COMMITTED)
#define SEEMS_COMMITTED (WITH_FATE(VIEW, ABORTED) == 0)
#else
#define SEEMS_COMMITTED ALL_COMMITTED(VIEW)
#endif

#ifdef LOOK_BEFORE_FENCE
#define COMMITTED_SINCE false
#else
#define COMMITTED_SINCE SEEMS_COMMITTED
#endif

#ifdef NO_CHECK_OF_GENERATION
#define MAY_RESOLVE true
#else
#define MAY_RESOLVE (generation == MY_GENERATION)
#endif

/* What a resolver sends again, once nothing is undecided. */
#if defined(SEND_ALL_AGAIN)
#define TO_SEND(who) BOTH
#elif defined(LOOK_BEFORE_FENCE)
#define TO_SEND(who) (early >> 2)
#elif defined(OPEN_IS_SENT_AGAIN)
#define TO_SEND(who) (WITH_FATE(who, ABORTED) | WITH_FATE(who, OPEN))
#else
#define TO_SEND(who) WITH_FATE(who, ABORTED)
#endif
#if defined(OPEN_IS_SENT_AGAIN)
#define TO_ABORT(who) 0
#elif defined(LOOK_BEFORE_FENCE)
#define TO_ABORT(who) (early & 3)
#else
#define TO_ABORT(who) WITH_FATE(who, OPEN)
#endif

active [2] proctype Coordinator() {
  bool recovering;
  bool asked; /* for its decision: it may have been made */
  byte settling;
#ifdef SINK_NOT_SERIAL
  bool ahead;
#endif
#ifdef LOOK_BEFORE_FENCE
  byte early; /* where it was open, and where aborted */
#endif

/* While both are down it does not matter which of them starts. */
#define MAY_START (generation < STARTS && (ME == 0 || ownGeneration[0] != 0))
end_down:
#ifdef READ_BEFORE_RAISE
  atomic {
    MAY_START ->
    MY_EPOCH = lastEpoch; recovering = lastCommitted < lastEpoch
  }
end_read:
  atomic {
    generation < STARTS ->
    generation++; MY_GENERATION = generation;
#else
  atomic {
    MAY_START ->
    generation++; MY_GENERATION = generation;
    MY_EPOCH = lastEpoch; recovering = lastCommitted < lastEpoch;
#endif
#ifdef NO_RECOVERY
    recovering = false;
#endif
    printf("coordinator %d starts: generation %d, last completed epoch %d\n", ME, MY_GENERATION, MY_EPOCH);
    if
    :: recovering ->
       sawNone[ME] = recordedOf != MY_EPOCH; sawNewest[ME] = recordedOf == MY_EPOCH;
#ifdef START_JUDGES_BY_MANIFEST
       hol[VIEW] = hol[MANIFEST]
#else
       hol[VIEW] = hol[ROW]
#endif
    :: else
    fi;
#ifndef SETTLE_FIRST
    if :: recovering -> goto commit :: else fi
#endif
  }

settle: /* One id after the other. That nothing is open under one is seen with its InitProducerId: who opens something later fences it. */
  atomic {
#ifdef NO_SETTLE
    since[AT(settling, 0)] = false; since[AT(settling, 1)] = false;
#else
    if
    :: printf("coordinator %d settles id %d: InitProducerId\n", ME, settling); fence(settling)
    :: MAY_CRASH -> crash(); goto end_down
    fi;
    if
    :: OPEN_IN(settling, 0) || OPEN_IN(settling, 1) -> hol[FRESH] = 1 | (settling << 5); goto leftOpen
    :: else
    fi;
#endif
    settling++;
    if
    :: settling < IDS -> goto settle
    :: else -> settling = 0
    fi;
#ifdef SETTLE_FIRST
    if :: recovering -> goto commit :: else fi;
#endif
    if
    :: MY_EPOCH == EPOCHS -> goto end_done
    :: else
    fi
  }

prepare: /* It looks at its generation when it has been fenced, or its decision is refused. */
  atomic {
#ifdef REUSED_IDENTITY
    hol[FRESH] = (CUR(FRESH) && HELD_ID(FRESH) == NEXT_ID -> 1 | (NEXT_ID << 5) : 0);
#else
    hol[FRESH] = 0;
#endif
    newAttempt(MY_EPOCH + 1);
    if
    :: true
    :: MAY_LEAVE -> printf("coordinator %d gives up attempt %d at epoch %d\n", ME, MY_ATTEMPT, MY_EPOCH + 1); leave(P_INIT, MY_EPOCH + 1, MY_ATTEMPT); goto prepare
    :: MAY_LEAVE -> printf("coordinator %d begins attempt %d at epoch %d, and the function is invoked twice\n", ME, MY_ATTEMPT, MY_EPOCH + 1); leave(P_INIT, MY_EPOCH + 1, MY_ATTEMPT)
    :: MAY_CRASH -> crash(); goto end_down
    :: generation != MY_GENERATION -> printf("coordinator %d: InitProducerId of id %d, and then it is fenced itself\n", ME, NEXT_ID); fence(NEXT_ID); giveWay(); goto end_down
    fi;
    if
#ifdef REUSED_IDENTITY
    :: CUR(FRESH) -> printf("coordinator %d begins attempt %d at epoch %d under the identity that it has\n", ME, MY_ATTEMPT, MY_EPOCH + 1)
#endif
    :: !CUR(FRESH) -> printf("coordinator %d begins attempt %d at epoch %d: InitProducerId\n", ME, MY_ATTEMPT, MY_EPOCH + 1); fence(NEXT_ID)
    fi;
    hol[FRESH] = 1 | (NEXT_ID << 5);
#ifdef FINE
  }
  atomic {
    if
    :: CUR(FRESH)
    :: !CUR(FRESH) && generation == MY_GENERATION -> goto prepare
    :: !CUR(FRESH) && generation != MY_GENERATION -> giveWay(); goto end_down
    :: MAY_CRASH -> crash(); goto end_down
    fi;
#endif
    send(FRESH, NEXT_ID, BOTH, MY_EPOCH + 1, MY_ATTEMPT);
    printf("coordinator %d has prepared it\n", ME);
#ifdef FINE
  }
  atomic {
    if
    :: generation == MY_GENERATION || SOUND(FRESH, NEXT_ID)
    :: generation != MY_GENERATION && !SOUND(FRESH, NEXT_ID) -> giveWay(); goto end_down
    :: MAY_CRASH -> crash(); goto end_down
    fi;
#endif
#ifndef NO_CHECK_OF_PREPARED
    if
    :: SOUND(FRESH, NEXT_ID)
    :: else -> printf("coordinator %d: it is not sound\n", ME); abortPrepared(FRESH, NEXT_ID); goto prepare
    fi;
#endif
#ifdef SINK_NOT_SERIAL
    if :: ahead -> hol[AHEAD] = hol[FRESH]; hol[FRESH] = 0; goto commit :: else fi
#endif
  }

deciding:
  atomic {
    if
    :: MAY_DECIDE(MY_GENERATION, MY_EPOCH + 1) && !IS_DECIDED(MY_EPOCH + 1, MY_ATTEMPT) ->
       if
       :: printf("coordinator %d decides attempt %d at epoch %d\n", ME, MY_ATTEMPT, MY_EPOCH + 1); decide(MY_EPOCH + 1, MY_ATTEMPT, FRESH)
       :: faults > 0 && lateKind == 0 ->
          faults--; lateKind = A_DECISION; lateGeneration = MY_GENERATION; lateEpoch = MY_EPOCH + 1; lateAttempt = MY_ATTEMPT; hol[LATE] = hol[FRESH];
          printf("coordinator %d decides attempt %d at epoch %d, and the request is late\n", ME, MY_ATTEMPT, MY_EPOCH + 1); asked = true; goto ambiguous
       fi
    :: IS_DECIDED(MY_EPOCH + 1, MY_ATTEMPT) -> printf("coordinator %d finds its decision of epoch %d\n", ME, MY_EPOCH + 1)
    :: !MAY_DECIDE(MY_GENERATION, MY_EPOCH + 1) && !IS_DECIDED(MY_EPOCH + 1, MY_ATTEMPT) ->
       printf("coordinator %d: the decision of epoch %d is refused; the row has generation %d, epoch %d\n", ME, MY_EPOCH + 1, generation, lastEpoch);
       assert(generation != MY_GENERATION);                        /* I6: who is refused has been superseded, else it could neither go on nor give way */
       giveWay(); goto end_down
    :: faults > 0 && !asked -> /* too late to be decided */
       faults--; printf("coordinator %d gives up attempt %d at epoch %d after it was prepared\n", ME, MY_ATTEMPT, MY_EPOCH + 1); abortPrepared(FRESH, NEXT_ID); goto prepare
    :: MAY_CRASH -> crash(); goto end_down
    fi;
decided:
    hol[VIEW] = hol[FRESH]; hol[FRESH] = 0; sawNone[ME] = true;
    MY_EPOCH++; MY_ATTEMPT = 0; asked = false;
#ifdef SINK_NOT_SERIAL
    if :: MY_EPOCH < EPOCHS -> ahead = true; goto prepare :: else fi
#endif
  }

commit: /* EndTxn, then a look at the log */
  atomic {
    if
    :: CUR(VIEW) && parts[MY_ID] != 0 ->
       if
       :: printf("coordinator %d commits epoch %d\n", ME, MY_EPOCH); endTransaction(MY_ID, COMMITTED)
       :: faults > 0 -> printf("coordinator %d commits epoch %d, and the request is late\n", ME, MY_EPOCH); faults--; lateCommit[MY_ID] = true
       :: faults > 0 -> printf("coordinator %d commits epoch %d, and the request comes again later\n", ME, MY_EPOCH); faults--; endTransaction(MY_ID, COMMITTED); lateCommit[MY_ID] = true
       fi
    :: else -> printf("coordinator %d commits epoch %d: refused, or done before\n", ME, MY_EPOCH)
    :: MAY_CRASH -> crash(); goto end_down
    fi;
#ifdef RECORD_AFTER_COMMIT
    if
    :: hol[FRESH] != 0 -> goto recording
    :: else
    fi;
#endif
    if
    :: SEEMS_COMMITTED -> goto isCommitted
    :: else
    fi
  }

doubt: /* The look at the generation, and the resolver's first look at the log */
  atomic {
    hol[FRESH] = 0;
    if
    :: SEEMS_COMMITTED -> goto isCommitted
    :: !SEEMS_COMMITTED && !MAY_RESOLVE -> giveWay(); goto end_down
    :: !SEEMS_COMMITTED && MAY_RESOLVE ->
#ifdef LOOK_BEFORE_FENCE
       early = WITH_FATE(VIEW, OPEN) | (WITH_FATE(VIEW, ABORTED) << 2);
#endif
       printf("coordinator %d is in doubt about epoch %d: partition 0 %d, partition 1 %d\n", ME, MY_EPOCH, FATE(VIEW, 0), FATE(VIEW, 1))
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }

  atomic {
    if
    :: printf("coordinator %d resolves epoch %d: InitProducerId\n", ME, MY_EPOCH); fence(MY_ID); hol[FRESH] = 1 | (MY_ID << 5)
    :: MAY_LEAVE -> printf("coordinator %d gives up a resolver of epoch %d\n", ME, MY_EPOCH); leave(R_INIT, MY_EPOCH, 1); goto doubt
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }

  atomic { /* the look after InitProducerId, and what follows from it */
    if
    :: COMMITTED_SINCE -> goto isCommitted
    :: !COMMITTED_SINCE && !CUR(FRESH) -> printf("coordinator %d resolves epoch %d: fenced\n", ME, MY_EPOCH); goto doubt
    :: !COMMITTED_SINCE && CUR(FRESH) && TO_ABORT(VIEW) != 0 ->
       printf("coordinator %d takes what is undecided of epoch %d into a transaction\n", ME, MY_EPOCH);
       parts[MY_ID] = TO_ABORT(VIEW); goto undecided
    :: !COMMITTED_SINCE && CUR(FRESH) && TO_ABORT(VIEW) == 0 ->
       printf("coordinator %d sends epoch %d again\n", ME, MY_EPOCH);
       send(FRESH, MY_ID, TO_SEND(VIEW), MY_EPOCH, 1)
    :: MAY_CRASH -> crash(); goto end_down
    fi;
#ifdef FINE
  }
  atomic {
    if
    :: true
    :: MAY_CRASH -> crash(); goto end_down
    fi;
#endif
#ifndef NO_CHECK_OF_SENT_AGAIN
    if
    :: SOUND(FRESH, MY_ID)
    :: else -> printf("coordinator %d: what was sent again of epoch %d is not sound\n", ME, MY_EPOCH); abortPrepared(FRESH, MY_ID); goto doubt
    fi;
#endif
#if defined(RECORD_AFTER_COMMIT) || defined(NO_RECORD)
    hol[VIEW] = hol[FRESH]; goto commit
#endif
  }

recording:
  atomic {
    if
    :: mine[ME] -> printf("coordinator %d finds its record of what was sent again\n", ME); mine[ME] = false; sawNone[ME] = false; sawNewest[ME] = true
    :: !mine[ME] && MAY_RECORD(MY_GENERATION, MY_EPOCH, ME) ->
       if
       :: printf("coordinator %d records what of epoch %d was sent again\n", ME, MY_EPOCH); record(FRESH, MY_EPOCH, ME)
       :: faults > 0 && lateKind == 0 ->
          faults--; lateKind = A_RECORD; lateGeneration = MY_GENERATION; lateEpoch = MY_EPOCH; hol[LATE] = hol[FRESH]; sawNewest[2] = sawNewest[ME]; sawNone[2] = sawNone[ME]; lateIsNew = true;
          printf("coordinator %d records what of epoch %d was sent again, and the request is late\n", ME, MY_EPOCH); goto recording
       fi
    :: !mine[ME] && !MAY_RECORD(MY_GENERATION, MY_EPOCH, ME) ->
       assert(generation != MY_GENERATION);                        /* I6: who is refused has been superseded, else it could neither go on nor give way */
       abortPrepared(FRESH, MY_ID); giveWay(); goto end_down
    :: MAY_CRASH -> crash(); goto end_down
    fi;
    hol[VIEW] = hol[FRESH]; hol[FRESH] = 0;
#ifdef RECORD_AFTER_COMMIT
    goto doubt
#else
    goto commit
#endif
  }

undecided:
  atomic {
    if
#ifdef OPEN_IS_TAKEN_IN
    :: printf("coordinator %d commits what was undecided of epoch %d\n", ME, MY_EPOCH); endTxn(FRESH, MY_ID, COMMITTED)
#else
    :: printf("coordinator %d aborts what was undecided of epoch %d\n", ME, MY_EPOCH); endTxn(FRESH, MY_ID, ABORTED)
#endif
    :: MAY_CRASH -> crash(); goto end_down
    fi;
    goto doubt
  }

leftOpen: /* A settlement finds something open under an id. */
  atomic {
    if
    :: !OPEN_IN(settling, 0) && !OPEN_IN(settling, 1) -> goto settle /* which finds it clean */
    :: (OPEN_IN(settling, 0) || OPEN_IN(settling, 1)) && CUR(FRESH) ->
       parts[settling] = (OPEN_IN(settling, 0) -> 1 : 0) | (OPEN_IN(settling, 1) -> 2 : 0);
       printf("coordinator %d takes what is left open under id %d into a transaction\n", ME, settling)
#ifdef NO_CHECK_BEFORE_SETTLING_AGAIN
    :: (OPEN_IN(settling, 0) || OPEN_IN(settling, 1)) && !CUR(FRESH) -> goto settle
#else
    :: (OPEN_IN(settling, 0) || OPEN_IN(settling, 1)) && !CUR(FRESH) && generation == MY_GENERATION -> goto settle
    :: (OPEN_IN(settling, 0) || OPEN_IN(settling, 1)) && !CUR(FRESH) && generation != MY_GENERATION -> giveWay(); goto end_down
#endif
    :: MAY_CRASH -> crash(); goto end_down
    fi
  }
  atomic {
    if
    :: printf("coordinator %d aborts what is left open under id %d\n", ME, settling); endTxn(FRESH, settling, ABORTED)
    :: MAY_CRASH -> crash(); goto end_down
    fi;
    goto leftOpen
  }

isCommitted:
  atomic {
    assert(visible[0] >= MY_EPOCH && visible[1] >= MY_EPOCH);      /* I2: what counts as COMMITTED is committed, everywhere */
#ifdef REUSED_IDENTITY
    hol[FRESH] = CUR(VIEW) | (MY_ID << 5);
#else
    hol[FRESH] = 0;
#endif
    hol[VIEW] = 0; sawNewest[ME] = false; sawNone[ME] = false; mine[ME] = false;
    if
    :: recovering || MY_EPOCH == EPOCHS ->
       if
       :: generation == MY_GENERATION -> printf("coordinator %d records epoch %d as COMMITTED\n", ME, MY_EPOCH); lastCommitted = MY_EPOCH; hol[ROW] = 0
       :: generation != MY_GENERATION -> giveWay(); goto end_down
       :: MAY_CRASH -> crash(); goto end_down
       fi;
       recovering = false; hol[FRESH] = 0;
#ifdef SETTLE_FIRST
       if :: MY_EPOCH < EPOCHS -> goto prepare :: else fi;
#endif
       goto settle
    :: else -> /* the next decision records it */
#ifdef SINK_NOT_SERIAL
       if :: ahead -> ahead = false; hol[FRESH] = hol[AHEAD]; hol[AHEAD] = 0; goto deciding :: else fi;
#endif
       goto prepare
    fi
  }

ambiguous:
#if defined(AMBIGUOUS_IS_FAILED)
  atomic { asked = false; goto prepare }
#elif defined(AMBIGUOUS_IS_MADE)
  atomic { asked = false; hol[VIEW] = hol[FRESH]; hol[FRESH] = 0; sawNone[ME] = true; MY_EPOCH++; MY_ATTEMPT = 0; goto commit }
#else
  goto deciding;
#endif

end_done:
  false
}

#define ZID ID(zombieEpoch)

/* What happens by itself. */
active proctype World() {
  byte i;
end_world:
  do
  /* The function that nobody waits for does its next step. */
  :: atomic { zombieStep == P_INIT || zombieStep == R_INIT ->
     printf("zombie of epoch %d: InitProducerId\n", zombieEpoch);
     fence(ZID); hol[ZOMBIE] = hol[ZOMBIE] | 1;
     zombieStep = (zombieStep == P_INIT -> P_ADD : R_ACT) }
  :: atomic { zombieStep == P_ADD && CUR(ZOMBIE) ->
     printf("zombie attempt %d at epoch %d: AddPartitionsToTxn\n", zombieAttempt, zombieEpoch);
     parts[ZID] = BOTH; verified = BOTH; zombieStep = SEND_0 }
  :: atomic { zombieStep == R_ACT && CUR(ZOMBIE) && !ALL_COMMITTED(ZOMBIE) ->
#ifndef OPEN_IS_SENT_AGAIN
     if
     :: WITH_FATE(ZOMBIE, OPEN) != 0 ->
        printf("zombie resolver of epoch %d: takes what is undecided into a transaction\n", zombieEpoch);
        parts[ZID] = WITH_FATE(ZOMBIE, OPEN); zombieStep = R_END
     :: else ->
#endif
        printf("zombie resolver of epoch %d: AddPartitionsToTxn\n", zombieEpoch);
#ifdef SEND_ALL_AGAIN
        parts[ZID] = BOTH;
#else
        parts[ZID] = WITH_FATE(ZOMBIE, OPEN) | WITH_FATE(ZOMBIE, ABORTED);
#endif
        verified = parts[ZID]; zombieStep = SEND_0
#ifndef OPEN_IS_SENT_AGAIN
     fi
#endif
     }
  :: atomic { zombieStep == SEND_0 ->
     if
     :: verified & 1 -> printf("zombie attempt %d at epoch %d: sends to partition 0\n", zombieAttempt, zombieEpoch); append(ZID, 0, zombieEpoch, zombieAttempt)
     :: else
     fi;
     zombieStep = SEND_1 }
  :: atomic { zombieStep == SEND_1 ->
     if
     :: verified & 2 -> printf("zombie attempt %d at epoch %d: sends to partition 1\n", zombieAttempt, zombieEpoch); append(ZID, 1, zombieEpoch, zombieAttempt)
     :: else
     fi;
     forgetZombie() }
  :: atomic { zombieStep == R_END ->
#ifdef OPEN_IS_TAKEN_IN
     printf("zombie resolver of epoch %d: commits what was undecided\n", zombieEpoch); endTxn(ZOMBIE, ZID, COMMITTED);
#else
     printf("zombie resolver of epoch %d: aborts what was undecided\n", zombieEpoch); endTxn(ZOMBIE, ZID, ABORTED);
#endif
     forgetZombie() }
  /* It is fenced, or there is nothing to do. (One that never wakes up is as one that wakes up when all is over.) */
  :: atomic { (zombieStep == P_ADD || zombieStep == R_ACT) && (!CUR(ZOMBIE) || (zombieStep == R_ACT && ALL_COMMITTED(ZOMBIE))) -> forgetZombie() }

  /* What is late arrives. (What never does is as what arrives when it changes nothing any more.) */
  :: atomic { lateCommit[0] || lateCommit[IDS - 1] ->
     if :: lateCommit[0] -> i = 0 :: lateCommit[IDS - 1] -> i = IDS - 1 fi;
     lateCommit[i] = false;
     if
     :: parts[i] != 0 -> printf("the late EndTxn(commit) of id %d arrives\n", i); endTransaction(i, COMMITTED)
     :: else
     fi;
     i = 0 }
  :: atomic { lateAbort[0] || lateAbort[IDS - 1] ->
     if :: lateAbort[0] -> i = 0 :: lateAbort[IDS - 1] -> i = IDS - 1 fi;
     lateAbort[i] = false;
     if
     :: parts[i] != 0 -> printf("the late EndTxn(abort) of id %d arrives\n", i); endTransaction(i, ABORTED)
     :: else
     fi;
     i = 0 }
  :: atomic { lateKind == A_DECISION ->
     if
     :: MAY_DECIDE(lateGeneration, lateEpoch) && !IS_DECIDED(lateEpoch, lateAttempt) -> printf("the late decision of epoch %d, attempt %d, arrives\n", lateEpoch, lateAttempt); decide(lateEpoch, lateAttempt, LATE)
     :: else
     fi;
     forgetLate() }
  :: atomic { lateKind == A_RECORD ->
     if
     :: MAY_RECORD(lateGeneration, lateEpoch, 2) -> printf("the late record of epoch %d arrives\n", lateEpoch); record(LATE, lateEpoch, 2)
     :: else
     fi;
     forgetLate() }

  /* The broker aborts what is open for too long. */
  :: atomic { parts[0] != 0 && faults > 0 -> faults--; printf("the broker aborts the open transaction of id 0\n"); fence(0) }
#if IDS == 2
  :: atomic { parts[1] != 0 && faults > 0 -> faults--; printf("the broker aborts the open transaction of id 1\n"); fence(1) }
#endif
  od
}

/*
 * I6. When nothing more can happen, all is decided and committed, and whatever is still open was opened by a zombie
 * after the last settlement. As there is no cycle either, this is "eventually", for every schedule.
 */
active proctype Quiescence() {
  byte n;
end_quiescence:
  timeout ->
  assert(visible[0] == EPOCHS && visible[1] == EPOCHS);            /* I6: every epoch is committed in the end */
  for (n : 0 .. 2 * IDS - 1) {
    assert(content[n] == 0 || since[n])                            /* I6: no transaction is left open that a settlement came after */
  }
}
