internal import Glibc

/// A thread with a body, and nothing else.
final class BackgroundThread: Sendable {
    private let body: @Sendable () -> Void

    private init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    /// Runs `body` on a thread of its own; false if the system has none left.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        // The thread owns the box and releases it when it starts.
        let box = unsafe Unmanaged.passRetained(BackgroundThread(body))
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<BackgroundThread>.fromOpaque(argument).takeRetainedValue()
                        .body()
                }
                return nil
            },
            box.toOpaque()
        )
        guard result == 0 else {
            unsafe box.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}

/// Gives the processor away for a while.
func pause(millis: UInt32) { usleep(millis * 1_000) }
