public import Bytes
public import Datapath

/// Where control and a worker leave word for each other: numbers that one writes and the other
/// reads.
public struct WorkerBoard: Sendable {
    /// Bytes of memory.
    public static let byteCount = 8 * Cell.count

    enum Cell {
        // Written by control.
        static var stopNanos: Int { @_noLocks get { 0 } }
        static var suspends: Int { @_noLocks get { 1 } }
        // Written by the worker, from the second cache line on.
        static var state: Int { @_noLocks get { 8 } }
        static var held: Int { @_noLocks get { 9 } }
        static var awaited: Int { @_noLocks get { 10 } }
        static var acksWaiting: Int { @_noLocks get { 11 } }
        static var turns: Int { @_noLocks get { 12 } }
        static var allocated: Int { @_noLocks get { 13 } }
        static var queued: Int { @_noLocks get { 14 } }
        static var features: Int { @_noLocks get { 15 } }
        static var port: Int { @_noLocks get { 16 } }
        static var stalls: Int { @_noLocks get { 23 } }
        static var trainsLost: Int { @_noLocks get { 24 } }
        static let count = 32
    }

    /// How far a worker is.
    public enum State: UInt64, Sendable {
        /// Not started.
        case new
        /// Takes packets.
        case running
        /// Takes acknowledgements, and empties its mixer.
        case stopping
        /// Gone.
        case done
        /// Gone: the kernel refused its ring.
        case failed
        /// Gone, and its memory holds what the next worker goes on with.
        case suspended

        /// True if its thread is over.
        public var isGone: Bool {
            switch self {
            case .new, .running, .stopping: false
            case .done, .failed, .suspended: true
            }
        }
    }

    let cells: AtomicCells

    /// A board in zeroed memory, 64-byte aligned.
    public init(_ region: Region) { cells = AtomicCells(region.slice(0, WorkerBoard.byteCount)) }

    // MARK: control

    /// Asks the worker to stop: no new packets, the mixer emptied, acknowledgements awaited until
    /// `limitNanos` of the monotonic clock, then `done`.
    public func stop(limitNanos: UInt64) {
        cells.storeReleasing(max(1, limitNanos), Cell.stopNanos)
    }

    /// Asks the worker to stop where it is, for another one to go on in its memory.
    public func suspend() { cells.storeReleasing(1, Cell.suspends) }

    /// How far the worker is.
    public var state: State { State(rawValue: cells.loadAcquiring(Cell.state)) ?? .failed }

    /// The worker's numbers, a tenth of a second old at most while it is busy.
    public var status: WorkerStatus {
        WorkerStatus(
            state: state,
            held: Int(cells.load(Cell.held)),
            awaited: Int(cells.load(Cell.awaited)),
            acksWaiting: Int(cells.load(Cell.acksWaiting)),
            turns: cells.load(Cell.turns),
            allocatedBytes: Int(cells.load(Cell.allocated)),
            queued: Int(cells.load(Cell.queued)),
            features: PortFeatures(word: cells.load(Cell.features)),
            enters: cells.load(Cell.port),
            dry: cells.load(Cell.port + 1),
            receiveErrors: cells.load(Cell.port + 2),
            sendErrors: cells.load(Cell.port + 3),
            socketDrops: cells.load(Cell.port + 4),
            trains: cells.load(Cell.port + 5),
            segmentationOff: cells.load(Cell.port + 6),
            stalls: cells.load(Cell.stalls),
            trainsLost: cells.load(Cell.trainsLost)
        )
    }

    // MARK: worker

    /// True once the worker is asked to be suspended.
    var suspends: Bool {
        @_noLocks
        get { cells.load(Cell.suspends) != 0 }
    }

    /// When waiting for acknowledgements ends; 0 while the worker is not asked to stop.
    var stopNanos: UInt64 {
        @_noLocks
        get { cells.load(Cell.stopNanos) }
    }

    @_noLocks
    func set(_ state: State) { cells.storeReleasing(number(state), Cell.state) }

    @_noLocks
    private func number(_ state: State) -> UInt64 {
        switch state {
        case .new: 0
        case .running: 1
        case .stopping: 2
        case .done: 3
        case .failed: 4
        case .suspended: 5
        }
    }
}

/// What a worker says of itself, beside its counters.
public struct WorkerStatus: Sendable {
    /// How far it is.
    public var state: WorkerBoard.State
    /// Packets in the mixer.
    public var held: Int
    /// Acknowledgements it awaits.
    public var awaited: Int
    /// Acknowledgements of its own that wait for a full packet.
    public var acksWaiting: Int
    /// Rounds.
    public var turns: UInt64
    /// Bytes its thread has allocated since it was warm; 0 for ever, or jemalloc is not linked.
    public var allocatedBytes: Int
    /// Packets in front of the curves.
    public var queued: Int
    /// What its port uses of the kernel.
    public var features: PortFeatures
    /// System calls of its port.
    public var enters: UInt64
    /// Receives that ended because no slot was left.
    public var dry: UInt64
    /// Receives that ended for another reason.
    public var receiveErrors: UInt64
    /// Datagrams that the kernel did not take.
    public var sendErrors: UInt64
    /// Datagrams that the kernel dropped because the worker did not take them in time.
    public var socketDrops: UInt64
    /// Trains sent in one piece.
    public var trains: UInt64
    /// Times the kernel refused a train and took its datagrams one by one.
    public var segmentationOff: UInt64
    /// Turns that began more than 50 ms late: somebody held the worker.
    public var stalls: UInt64
    /// 1 once trains are sent no more because they got lost where single datagrams did not.
    public var trainsLost: UInt64
}
