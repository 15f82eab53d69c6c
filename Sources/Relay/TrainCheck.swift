internal import Bytes
internal import Crypto
internal import Datapath
internal import Exchange
internal import Link

/// Finds out whether trains get lost on the way where single datagrams do not: a device that cuts
/// them wrong tells nobody.
///
/// While trains are sent, a neighbour that was sent one is pinged in turns by a lone datagram and
/// by the last datagram of a train of padding, one ping a second. Its verdict is bad if it answers
/// nearly all of the first and none of the second; after two bad verdicts in a row, of two
/// neighbours if two are sent trains, the node sends no trains any more.
struct TrainCheck {
    /// Pings of either kind to one neighbour.
    static var pings: UInt8 { @_noLocks get { 4 } }
    /// Datagrams of a train with a ping.
    static var trainDatagrams: Int { @_noLocks get { 4 } }
    private static var badMost: UInt8 { @_noLocks get { 2 } }

    /// What became of pings of one kind.
    struct Tally {
        var sent: UInt8 = 0
        var answered: UInt8 = 0
    }

    /// Row and key id of the neighbour that is being pinged; `LinkTable.none`: nobody is.
    private(set) var row = LinkTable.none
    private(set) var keyID: UInt32 = 0
    /// The number in the ping that is under way; 0 if none is.
    var number: UInt64 = 0
    /// When there is something to do.
    var nextNanos: UInt64 = 0
    private var alone = Tally()
    private var inTrain = Tally()
    private var bad: UInt8 = 0
    private var rowBefore = LinkTable.none
    private var candidate = LinkTable.none

    /// A neighbour was sent a train. Another one than last time is preferred.
    @_noLocks
    mutating func noteTrain(_ row: UInt32) {
        if candidate == LinkTable.none || candidate == rowBefore { candidate = row }
    }

    /// Begins with a neighbour that was sent a train; false if none was.
    @_noLocks
    mutating func begin(_ table: LinkTable) -> Bool {
        guard candidate != LinkTable.none else { return false }
        row = candidate
        keyID = table.keyID(row)
        candidate = LinkTable.none
        alone = Tally()
        inTrain = Tally()
        return true
    }

    /// Leaves the neighbour without a verdict.
    @_noLocks
    mutating func giveUp() {
        rowBefore = row
        row = LinkTable.none
        number = 0
    }

    /// True if the next ping goes in a train.
    var isTrainNext: Bool { @_noLocks get { inTrain.sent < alone.sent } }

    /// Counts the ping that was under way.
    @_noLocks
    mutating func settle(answered: Bool) {
        if isTrainNext {
            inTrain.sent += 1
            inTrain.answered += answered ? 1 : 0
        } else {
            alone.sent += 1
            alone.answered += answered ? 1 : 0
        }
        number = 0
    }

    /// After the last ping to a neighbour; true if trains had better not be sent.
    @_noLocks
    mutating func isOver() -> Bool {
        guard inTrain.sent == TrainCheck.pings else { return false }
        if inTrain.answered > 0 {
            bad = 0
        } else if alone.answered + 1 >= TrainCheck.pings {
            bad += 1
        }
        giveUp()
        return bad >= TrainCheck.badMost
    }
}

extension Worker {
    /// The next step of the check, once its time has come.
    @_noLocks
    mutating func checkTrains() {
        guard config.trainCheckNanos > 0, batch.nowNanos >= check.nextNanos else { return }
        guard stopNanos == 0, !isPaced, port.segmentation else { return }
        if check.number != 0 {
            check.settle(answered: links.table.lastPong(check.row, check.number) == check.number)
            if check.isOver() { links.table.noteLostTrains() }
        }
        guard check.row != LinkTable.none || check.begin(links.table) else { return }
        check.nextNanos = batch.nowNanos + config.trainCheckNanos
        if links.table.keyID(check.row) != check.keyID || !ping() { check.giveUp() }
    }

    /// Pings the neighbour of the check; false if there is no link to it.
    @_noLocks
    private mutating func ping() -> Bool {
        guard var train = begin(check.row) else { return false }
        // The low bits tell workers apart.
        check.number = max(4, random.next() & ~3) | UInt64(number & 3)
        let body = ackText.slice(0, 8)
        body.store(check.number, 0)
        if check.isTrainNext {
            _ = train.writer.end(least: TrainCheck.trainDatagrams - 1)
        }
        let fits = train.writer.add(.ping, body)
        assert(fits)
        noteOut(.ping, body, check.row)
        depart(train)
        return true
    }

    /// Trains that get lost are sent no more, whichever worker has found it out.
    @_noLocks
    mutating func obeyCheck() {
        guard links.table.losesTrains, port.segmentation else { return }
        port.segmentation = false
        board.cells.bump(WorkerBoard.Cell.trainsLost)
    }
}
