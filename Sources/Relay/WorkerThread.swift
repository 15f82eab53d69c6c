internal import Bytes
internal import Datapath
internal import Synchronization

/// A worker on a thread of its own, from `start` until it is done.
final class WorkerThread: Sendable {
    private let seat: Mutex<WorkerSeat>
    private let waker: Mutex<PortWaker?>
    private let sender: Mutex<DatagramSocket?>
    let board: WorkerBoard
    /// What the worker left when it was suspended.
    private let left = Mutex<(socket: Int32, memory: Int32)?>(nil)

    /// Seats a worker; its thread starts later.
    init(_ worker: consuming Worker, board: WorkerBoard) throws(DatapathError) {
        sender = Mutex(try worker.duplicateSocket())
        waker = Mutex(worker.waker)
        seat = Mutex(WorkerSeat(worker))
        self.board = board
    }

    /// Starts the thread; `keeping` lives until the worker is gone.
    func start(_ name: String, cpu: Int?, keeping: any AnyObject & Sendable) throws(DatapathError) {
        try Host.startThread(name, cpu: cpu) { [self] in
            run()
            withExtendedLifetime(keeping) {}
        }
    }

    /// A socket that sends as the worker does; once, before `start`.
    func takeSender() -> DatagramSocket? { sender.withLock { $0.take() } }

    /// Ends the worker's sleep, if it still lives.
    func wake() { waker.withLock { $0?.wake() } }

    private func run() {
        // The port must be free when the worker is gone.
        sender.withLock { $0 = nil }
        guard var worker = seat.withLock({ $0.take() }) else { return }
        do throws(DatapathError) {
            try worker.start()
            while !worker.isDone { worker.turn() }
            let isSuspended = worker.isSuspended
            if isSuspended {
                let handed = try worker.handOver()
                left.withLock { $0 = handed }
            }
            waker.withLock { $0 = nil }
            // The port ends before anybody is told so.
            _ = consume worker
            if isSuspended { board.set(.suspended) }
        } catch {
            waker.withLock { $0 = nil }
            board.set(.failed)
        }
    }

    /// Takes what a suspended worker left; nil if there is nothing.
    func takeLeft() -> (socket: Int32, memory: Int32)? { left.withLock { $0.take() } }
}

/// Holds a worker between making it and its thread: one thread at a time has it.
private struct WorkerSeat: ~Copyable, @unchecked Sendable {
    private var worker: Worker?

    init(_ worker: consuming Worker) { self.worker = consume worker }

    mutating func take() -> Worker? { worker.take() }
}
