/* The send protocol of notifyctl as a model for spin: two runners and a person share a ledger, and the provider lies.
 *
 * A step of the protocol is an inline in capitals, and happens as one. Between any two steps of a process it may be killed
 * (CRASH), and it may sleep for any time, because spin tries every order of steps. README.md says what each step is in the
 * code and what is left out; `check` runs spin over this file and over everything that is broken on purpose in it (#ifdef).
 *
 * `promise` is an assertion of P1, P2, P4 or P5. `happens` claims that something never happens, and is meant to fail: that shows
 * that it can happen, and that the promises are not kept by standing still.
 */

#define P1 1    /* at most one accepted attempt per unit */
#define P2 2    /* no request before its intent is durable */
#define P4 4    /* nobody lost, nobody taken for not served in silence */
#define P5 5    /* a run that was overtaken begins nothing */

#define LATE_POST 11        /* a runner that was overtaken after its ARM still sends */
#define LATE_WAKE 12        /* a runner wakes after a person called its batch not sent, and gives up */
#define LATE_ACCEPT 13      /* a request is accepted after its time-out, or after its runner's death */
#define TRIED_AGAIN 14      /* a batch is tried again within its run, after a certain rejection */
#define SENT_AGAIN 15       /* who was called not sent is sent to, and gets it */
#define BY_JOURNAL 16       /* what was swept is settled as accepted by the journal */
#define BY_RECEIPT 17       /* what was swept is settled as accepted by a receipt */
#define ALL_ACCEPTED 18     /* a run has everything accepted, and ends */

#ifdef ONLY                 /* one of them alone, to find a short story */
#define asked(number) (number == ONLY)
#else
#define asked(number) true
#endif
#define promise(number, holds) verdict = ((holds) || !asked(number) -> 0 : number); assert(verdict != number)
#ifdef TRAPS
#define happens(number, what) verdict = ((what) && asked(number) -> number : 0); assert(verdict != number)
#else
#define happens(number, what) skip
#endif

#ifndef UNITS
#define UNITS 1         /* delivery units, each in a batch of its own: 1 or 2 */
#endif
#ifndef RUNS
#define RUNS 4          /* epochs: how often a writer begins, runners and the person together */
#endif
#define TRIES 2         /* attempts of one batch within a run */

/* A batch is named by the epoch that planned it and by its unit. */
#define ROWS ((RUNS + 1) * UNITS)
#define ROW(e, u) ((e) * UNITS + (u))

/* What the ledger says of a batch. */
mtype = { NOTHING, PLANNED, ARMED, REJECTED, UNKNOWN, ACCEPTED };
/* Where a batch is in its runner, beside NOTHING, PLANNED and ARMED. */
mtype = { ELIGIBLE, RESERVED, IN_WRITE, SENT, GAVE_UP, DONE };
/* What is on the wire for a batch. ORPHAN: written, undecided, and nobody waits for the answer any more. */
mtype = { WRITTEN, ORPHAN, SAID_YES, SAID_NO, SAID_NOTHING };
/* How far a writer is. */
mtype = { OFF, LOCKED, REPLAYED, OPENED, DERIVED, RUNNING };

/* The disk. */
byte epoch = 0;                         /* the highest */
mtype state[ROWS] = NOTHING;
mtype word[ROWS] = NOTHING;             /* what a receipt or the person said later */
mtype journal[ROWS] = NOTHING;          /* results that could not be committed */

/* The world. */
byte accepted[UNITS] = 0;               /* the truth: requests for it that the provider accepted, counted to 2 */
mtype wire[ROWS] = NOTHING;
bool receipt[ROWS] = false;             /* a receipt is on its way */
bool lapsed[ROWS] = false;              /* so long after ARM that its send-by and the quarantine have passed */

#ifdef ARM_NOT_DURABLE
bool loose[ROWS] = false;               /* ARM was committed and is not on the disk yet */
#endif

/* Within one step only. */
hidden byte i, each;
hidden byte standing;                   /* 0 never begun, 1 rejected, 2 uncertain, 3 accepted */
hidden byte missing, verdict;

#define UNSETTLED(row) ((state[row] == ARMED || state[row] == UNKNOWN) && word[row] == NOTHING)

/* How a unit stands: the strongest of its batches, with the words on them. */
inline stand(u) {
    standing = 0;
    for (i : 1 .. RUNS) {
        if
        :: state[ROW(i, u)] == ACCEPTED || word[ROW(i, u)] == ACCEPTED -> standing = 3
        :: else ->
            if
#ifdef FORGET_ARMED
            :: state[ROW(i, u)] == ARMED -> skip
#endif
            :: UNSETTLED(ROW(i, u)) -> standing = (standing < 2 -> 2 : standing)
            :: state[ROW(i, u)] == REJECTED || word[ROW(i, u)] == REJECTED ->
                standing = (standing < 1 -> 1 : standing)
            :: else -> skip
            fi
        fi
    }
}

/* Looked at after every step that changes the ledger or the truth. */
inline promises() {
    for (each : 0 .. UNITS - 1) {
        promise(P1, accepted[each] <= 1);
        stand(each);
        promise(P4, accepted[each] == 0 || standing >= 2);
        promise(P4, standing != 3 || accepted[each] >= 1)
    }
    standing = 0    /* a step may not end in a loop */
}

/* ---- every writer: a runner, or the person who resolves ---- */

/* Always possible, also while another writes: nothing rests on the lock file. */
inline LOCK() {
    epoch++;
    me = epoch;
    phase = LOCKED;
    printf("%d LOCK: epoch %d\n", _pid, me);
    SWEEP();
    promises()
}

/* In the same commit: what predecessors left armed is unknown from now on. */
inline SWEEP() {
    for (i : 0 .. ROWS - 1) {
#ifdef ARM_NOT_DURABLE
        loose[i] = false;
#endif
#ifndef NO_SWEEP
        if
        :: state[i] == ARMED -> state[i] = UNKNOWN; printf("%d SWEEP: batch %d is unknown\n", _pid, i)
        :: else -> skip
        fi;
#endif
        skip
    }
}

/* Accepted is never taken back; what was never begun cannot have ended. */
inline settle(row, how) {
    if
    :: state[row] == ACCEPTED || state[row] == PLANNED || state[row] == NOTHING -> skip
    :: else -> state[row] = how
    fi
}

/* What stands in the journal goes into the ledger … */
inline REPLAY() {
    for (each : 0 .. ROWS - 1) {
        if
        :: journal[each] != NOTHING ->
            happens(BY_JOURNAL, journal[each] == ACCEPTED && state[each] == UNKNOWN);
            printf("%d REPLAY: batch %d is %e\n", _pid, each, journal[each]);
            settle(each, journal[each])
        :: else -> skip
        fi
    }
    phase = REPLAYED;
    promises()
}

/* … and the journal is removed, with what a runner that was overtaken may have added meanwhile. */
inline FORGET() {
    for (i : 0 .. ROWS - 1) { journal[i] = NOTHING }
    phase = OPENED
}

/* ---- a runner ---- */

/* Who may be sent to follows from the facts … */
inline DERIVE() {
    for (each : 0 .. UNITS - 1) {
        stand(each);
        if
#ifdef RETRY_UNKNOWN
        :: standing <= 2 -> place[each] = ELIGIBLE
#else
        :: standing <= 1 -> place[each] = ELIGIBLE
#endif
        :: else -> skip
        fi
    }
    phase = DERIVED
}

/* … and their batches are recorded. */
inline PLAN() {
    for (each : 0 .. UNITS - 1) {
        if
        :: place[each] == ELIGIBLE ->
            state[ROW(me, each)] = PLANNED;
            place[each] = PLANNED;
            printf("%d PLAN: batch %d for unit %d\n", _pid, ROW(me, each), each)
        :: else -> skip
        fi
    }
    phase = RUNNING;
    promises()
}

/* A wait, for the account's rate. */
inline RESERVE(u) {
    place[u] = RESERVED
}

#ifdef NO_FENCE
#define FENCED true
#else
#define FENCED (me == epoch)
#endif
#define MAY_ARM(u) \
    (FENCED && (state[ROW(me, u)] == PLANNED || state[ROW(me, u)] == REJECTED) && word[ROW(me, u)] != ACCEPTED)

/* The point of no return, fenced by the epoch. `then`: where the batch is after it. */
inline ARM(u, then) {
    promise(P5, me == epoch);
    happens(TRIED_AGAIN, state[ROW(me, u)] == REJECTED);
    state[ROW(me, u)] = ARMED;
#ifdef ARM_NOT_DURABLE
    loose[ROW(me, u)] = true;
#endif
    tries[u]++;
    place[u] = then;
    printf("%d ARM: batch %d, attempt %d\n", _pid, ROW(me, u), tries[u]);
    promises()
}

/* Overtaken, or settled by a receipt: the run begins nothing more. */
inline REFUSED(u) {
    over = true;
    place[u] = DONE;
    printf("%d ARM: batch %d refused, epoch %d of %d\n", _pid, ROW(me, u), me, epoch)
}

/* The commit was made and an error came back all the same: nothing is sent. */
inline IN_DOUBT(u) {
    state[ROW(me, u)] = ARMED;
    over = true;
    failed = true;
    place[u] = DONE;
    printf("%d ARM: batch %d in doubt, not sent\n", _pid, ROW(me, u));
    promises()
}

/* One request, handed over whole. `then`: where the batch is after it. */
inline POST(u, then) {
    promise(P2, state[ROW(me, u)] == ARMED || state[ROW(me, u)] == UNKNOWN);
#ifdef ARM_NOT_DURABLE
    promise(P2, !loose[ROW(me, u)]);
#endif
    happens(LATE_POST, me != epoch);
    wire[ROW(me, u)] = WRITTEN;
    place[u] = then;
    printf("%d POST: batch %d, epoch %d of %d\n", _pid, ROW(me, u), me, epoch)
}

/* More than a minute after ARM: not sent, and it knows that. */
inline GIVE_UP(u) {
    happens(LATE_WAKE, lapsed[ROW(me, u)]);
    place[u] = GAVE_UP;
    printf("%d POST: batch %d given up, too late\n", _pid, ROW(me, u))
}

#define WAITS(u) (phase == RUNNING && (place[u] == GAVE_UP || place[u] == SENT))
#ifdef TRUST_500
#define CERTAIN_NO(u) (place[u] == GAVE_UP || wire[ROW(me, u)] == SAID_NO || wire[ROW(me, u)] == SAID_NOTHING)
#else
#define CERTAIN_NO(u) (place[u] == GAVE_UP || wire[ROW(me, u)] == SAID_NO)
#endif
/* Without an answer yet it is a time-out. */
#define OUTCOME(u) (CERTAIN_NO(u) -> REJECTED : (wire[ROW(me, u)] == SAID_YES -> ACCEPTED : UNKNOWN))

/* How it ended, into the ledger; fenced. `then`: PLANNED where it is tried again. */
inline RESULT(u, then) {
    printf("%d RESULT: batch %d is %e\n", _pid, ROW(me, u), OUTCOME(u));
    settle(ROW(me, u), OUTCOME(u));
#ifdef ARM_NOT_DURABLE
    for (i : 0 .. ROWS - 1) { loose[i] = false }
#endif
    place[u] = then;
    tries[u] = (then == DONE -> 0 : tries[u]);
    wire[ROW(me, u)] = (wire[ROW(me, u)] == WRITTEN -> ORPHAN : NOTHING);
    promises()
}

/* Overtaken, or the disk is full: beside the ledger, and the run begins nothing more. */
inline JOURNAL(u) {
    printf("%d RESULT: batch %d is %e, into the journal\n", _pid, ROW(me, u), OUTCOME(u));
    journal[ROW(me, u)] = OUTCOME(u);
    over = true;
    failed = true;
    place[u] = DONE;
    tries[u] = 0;
    wire[ROW(me, u)] = (wire[ROW(me, u)] == WRITTEN -> ORPHAN : NOTHING)
}

/* Nothing is in flight and nothing more may begin. */
inline END() {
    if
    :: me == epoch && !failed ->
        for (i : 0 .. ROWS - 1) {
            promise(P4, state[i] != ARMED)
        }
        missing = 0;
        for (i : 0 .. UNITS - 1) { missing = missing + (state[ROW(me, i)] != ACCEPTED) }
        happens(ALL_ACCEPTED, missing == 0);
        printf("%d END: finished\n", _pid)
    :: else -> printf("%d END: broken off\n", _pid)
    fi;
    nothing_in_memory()
}

/* Killed: what was in memory is gone, what is on the wire is not. */
inline CRASH() {
    printf("%d CRASH\n", _pid);
    for (i : 0 .. UNITS - 1) {
        wire[ROW(me, i)] = (wire[ROW(me, i)] == WRITTEN || wire[ROW(me, i)] == ORPHAN -> ORPHAN : NOTHING);
#ifdef ARM_NOT_DURABLE
        if
        :: loose[ROW(me, i)] ->
            loose[ROW(me, i)] = false;
            state[ROW(me, i)] = (tries[i] > 1 -> REJECTED : PLANNED)
        :: else -> skip
        fi;
#endif
        skip
    }
    nothing_in_memory();
    promises()
}

inline nothing_in_memory() {
    for (i : 0 .. UNITS - 1) {
        place[i] = NOTHING;
        tries[i] = 0
    }
    over = false;
    failed = false;
    phase = OFF;
    me = 0
}

#define READY(u) (phase == RUNNING && !over && place[u] == RESERVED)
#define LEFT(u) (place[u] == PLANNED || place[u] == RESERVED)
#define IN_FLIGHT(u) (place[u] == ARMED || place[u] == IN_WRITE || place[u] == SENT || place[u] == GAVE_UP)

#ifdef ARM_AFTER_POST
#define BEGIN(u) \
    :: d_step { READY(u) -> POST(u, ARMED) } \
    :: d_step { place[u] == ARMED && MAY_ARM(u) -> ARM(u, SENT) } \
    :: d_step { place[u] == ARMED && !MAY_ARM(u) -> REFUSED(u) }
#else
#define ARMING(u) \
    :: d_step { READY(u) && MAY_ARM(u) -> ARM(u, ARMED) } \
    :: d_step { READY(u) && MAY_ARM(u) && me == epoch -> IN_DOUBT(u) } \
    :: d_step { READY(u) && !MAY_ARM(u) -> REFUSED(u) } \
    :: d_step { place[u] == ARMED -> GIVE_UP(u) }
#ifdef PAUSE_IN_WRITE
#define BEGIN(u) ARMING(u) \
    :: d_step { place[u] == ARMED && !lapsed[ROW(me, u)] -> place[u] = IN_WRITE } \
    :: d_step { place[u] == IN_WRITE -> POST(u, SENT) }
#else
#ifdef NO_SEND_BY
#define BEGIN(u) ARMING(u) \
    :: d_step { place[u] == ARMED -> POST(u, SENT) }
#else
#define BEGIN(u) ARMING(u) \
    :: d_step { place[u] == ARMED && !lapsed[ROW(me, u)] -> POST(u, SENT) }
#endif
#endif
#endif

/* After a certain rejection: again in this run (429, no connection), not again (400), or the end of the run (401). */
#define BATCH(u) \
    :: d_step { phase == RUNNING && !over && place[u] == PLANNED -> RESERVE(u) } \
    BEGIN(u) \
    :: d_step { WAITS(u) && me == epoch -> RESULT(u, DONE) } \
    :: d_step { WAITS(u) && me == epoch && CERTAIN_NO(u) && tries[u] < TRIES && !over -> RESULT(u, PLANNED) } \
    :: d_step { WAITS(u) && me == epoch && CERTAIN_NO(u) && !over -> over = true; RESULT(u, DONE) } \
    :: d_step { WAITS(u) -> JOURNAL(u) }

#if UNITS == 1
#define BATCHES BATCH(0)
#define ANY(what) (what(0))
#else
#define BATCHES BATCH(0) BATCH(1)
#define ANY(what) (what(0) || what(1))
#endif

active [2] proctype runner() {
    byte me = 0;                        /* the epoch of this run */
    mtype phase = OFF;
    bool over = false;                  /* nothing more may be begun */
    bool failed = false;                /* the ledger could not be written */
    mtype place[UNITS] = NOTHING;
    byte tries[UNITS] = 0;
end:
    do
    :: d_step { phase == OFF && epoch < RUNS -> LOCK() }
    :: d_step { phase == LOCKED && me == epoch -> REPLAY() }
    :: d_step { phase == LOCKED -> phase = REPLAYED }   /* read it before something was added, or could not commit it */
    :: d_step { phase == REPLAYED -> FORGET() }
    :: d_step { phase == OPENED -> DERIVE() }
    :: d_step { phase == DERIVED && me == epoch -> PLAN() }
    :: d_step { phase == DERIVED && me != epoch -> over = true; phase = RUNNING }
    BATCHES
    :: d_step { phase == RUNNING && !ANY(IN_FLIGHT) && (over || !ANY(LEFT)) -> END() }
    :: d_step { phase != OFF -> CRASH() }
    od
}

/* ---- the person ---- */

/* Looks into the provider's own reports, and says what is true. Of a batch that is not there the person says so only after the
 * quarantine: by then what was written has been decided, and what was not written never will be.
 */
inline RESOLVE(u) {
    for (i : 1 .. RUNS) {
        if
        :: UNSETTLED(ROW(i, u)) ->
            if
#ifndef WRONG_PERSON
            :: accepted[u] > 0 -> word[ROW(i, u)] = ACCEPTED
#endif
            :: else ->
                if
                :: wire[ROW(i, u)] == WRITTEN || wire[ROW(i, u)] == ORPHAN -> skip
                :: else ->
                    word[ROW(i, u)] = REJECTED;
#ifndef NO_QUARANTINE
                    lapsed[ROW(i, u)] = true
#endif
                fi
            fi;
            printf("%d RESOLVE: batch %d, word %e\n", _pid, ROW(i, u), word[ROW(i, u)])
        :: else -> skip
        fi
    }
    promises()
}

active proctype person() {
    byte me = 0;
    mtype phase = OFF;
end:
    do
    :: d_step { phase == OFF && epoch < RUNS -> LOCK() }
    :: d_step { phase == LOCKED && me == epoch -> REPLAY() }
    :: d_step { phase == LOCKED -> phase = REPLAYED }
    :: d_step { phase == REPLAYED -> FORGET() }
    :: d_step { phase == OPENED && me == epoch -> RESOLVE(0); phase = OFF; me = 0 }
#if UNITS > 1
    :: d_step { phase == OPENED && me == epoch -> RESOLVE(1); phase = OFF; me = 0 }
#endif
    :: d_step { phase != OFF -> phase = OFF; me = 0; printf("%d CRASH\n", _pid) }
    od
}

/* ---- the provider, and its receipts ---- */

#define ON_THE_WIRE (wire[row] == WRITTEN || wire[row] == ORPHAN)

/* `says`: SAID_NOTHING stands for 5xx, a reset, an answer cut off or unreadable, an answer that is lost. */
inline ACCEPT(says) {
    happens(LATE_ACCEPT, wire[row] == ORPHAN);
    missing = 0;
    for (i : 1 .. RUNS) { missing = missing + (word[ROW(i, row % UNITS)] == REJECTED) }
    happens(SENT_AGAIN, missing > 0);
    accepted[row % UNITS] = (accepted[row % UNITS] < 2 -> accepted[row % UNITS] + 1 : 2);
    receipt[row] = true;
    wire[row] = (wire[row] == WRITTEN -> says : NOTHING);
    printf("provider ACCEPT: batch %d, %e\n", row, says);
    promises()
}

/* Refused, or never got there. */
inline DROP(says) {
    wire[row] = (wire[row] == WRITTEN -> says : NOTHING);
    printf("provider DROP: batch %d, %e\n", row, says)
}

/* Any time later or never, in any order; a receipt that comes twice says nothing new. */
inline RECEIPT() {
    happens(BY_RECEIPT, state[row] == UNKNOWN);
    word[row] = ACCEPTED;
    receipt[row] = false;
    printf("provider RECEIPT: batch %d\n", row);
    promises()
}

/* One for each batch: what happens to one does not wait for another. */
proctype provider(byte row) {
end:
    do
    :: d_step { ON_THE_WIRE -> ACCEPT(SAID_YES) }
    :: d_step { wire[row] == WRITTEN -> ACCEPT(SAID_NOTHING) }
#ifdef LYING_REFUSAL
    :: d_step { wire[row] == WRITTEN -> ACCEPT(SAID_NO) }
#endif
    :: d_step { ON_THE_WIRE -> DROP(SAID_NO) }
    :: d_step { wire[row] == WRITTEN -> DROP(SAID_NOTHING) }
    :: d_step { receipt[row] -> RECEIPT() }
    od
}

init {
    byte row;
    atomic {
        for (row : UNITS .. ROWS - 1) { run provider(row) }
    }
}
