internal import Glibc

/// A thread of the control plane.
public final class ControlThread {
    fileprivate final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private var thread = pthread_t()
    private var joined = false

    /// Starts `body` on a thread of its own.
    public init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        // The new thread takes over the reference made here.
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let failure = unsafe pthread_create(&thread, nil, start, context)
        precondition(failure == 0, "no thread for \(name)")
    }

    /// Waits until the body has returned.
    public func join() {
        if joined { return }
        joined = true
        pthread_join(thread, nil)
    }
}

// The thread's first function: takes the body over and runs it.
private func start(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<ControlThread.Body>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

/// Sleeps, for loops of the control plane.
public func pause(millis: Int) {
    var time = timespec(tv_sec: millis / 1_000, tv_nsec: millis % 1_000 * 1_000_000)
    // nanosleep reads the structure given; being woken early does no harm.
    unsafe nanosleep(&time, nil)
}
