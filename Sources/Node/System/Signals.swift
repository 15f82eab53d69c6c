internal import CProcess
internal import Glibc

/// SIGTERM, SIGINT and SIGHUP as things to be asked for, instead of interruptions.
///
/// Make one before any thread is started: threads inherit what is blocked.
public struct Signals: Sendable {
    /// What somebody wants.
    public enum Wish: Sendable {
        /// Stop in good order.
        case stop
        /// Read keys and targets again.
        case reload
    }

    private let file: Int32

    /// Takes the signals over for the whole process.
    public init() { file = process_signals() }

    /// The next wish within some milliseconds.
    public func next(millis: Int) -> Wish? {
        switch process_next_signal(file, Int32(clamping: millis)) {
        case 0: nil
        case SIGHUP: .reload
        default: .stop
        }
    }
}

/// Keeps this process's memory from core dumps and other users' debuggers.
public func guardMemory() { process_guard_memory() }
