internal import Glibc

/// A call to the operating system that failed: what was tried, on what, and why not.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    /// What was tried: "open", "bind", "lock".
    public var action: String
    /// File, socket or address.
    public var subject: String
    /// The system's error number.
    public var number: Int32

    /// Describes a failure by its error number.
    public init(_ action: String, _ subject: String, number: Int32) {
        self.action = action
        self.subject = subject
        self.number = number
    }

    /// Describes a failure of the last call.
    static func last(_ action: String, _ subject: String) -> SystemError {
        SystemError(action, subject, number: errno)
    }

    /// One line without the subject.
    public var reason: String { systemErrorText(number) }

    /// One line: `cannot open /etc/dray.toml: No such file or directory`.
    public var description: String { "cannot \(action) \(subject): \(reason)" }
}

/// The system's words for an error number.
func systemErrorText(_ number: Int32) -> String {
    // strerror returns a constant or a thread's own buffer; it is copied at once.
    unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
}
