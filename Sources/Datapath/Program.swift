internal import CHost

#if canImport(Glibc)
internal import Glibc
#endif

/// Other programs: to be asked, and to be become.
public enum Program {
    /// What came of asking a program.
    public enum Outcome: Sendable, Equatable {
        /// It ended: exit code, or 128 + signal, and what it wrote.
        case ended(Int32, String)
        /// It took too long, and was killed.
        case timeout
        /// It cannot be run: the system's words for it.
        case refused(String)
    }

    /// Most bytes of an answer that are kept.
    private static let answerBytes = 16_384

    /// Runs a program to its end.
    ///
    /// - Parameter words: its path, and its arguments.
    public static func ask(_ words: [String], millis: Int) -> Outcome {
        var packed = pack(words)
        var answer = [CChar](repeating: 0, count: answerBytes)
        var length = 0
        let status = unsafe host_ask(
            &packed,
            Int32(clamping: words.count),
            &answer,
            answer.count,
            &length,
            Int32(clamping: millis)
        )
        if status == -ETIMEDOUT { return .timeout }
        guard status >= 0 else { return .refused(text(of: -status)) }
        let bytes = answer[..<length].map { UInt8(bitPattern: $0) }
        return .ended(status, String(decoding: bytes, as: UTF8.self))
    }

    /// Becomes another program, in this process: other threads end where they are. It inherits the
    /// descriptors `kept`, and no others but the standard ones.
    ///
    /// - Returns: only if it cannot: the system's words for it.
    public static func become(_ words: [String], keeping kept: [Int32]) -> String {
        var packed = pack(words)
        let status = unsafe host_become(
            &packed,
            Int32(clamping: words.count),
            kept,
            Int32(clamping: kept.count)
        )
        return text(of: -status)
    }

    private static func pack(_ words: [String]) -> [CChar] {
        words.flatMap { $0.utf8.map { CChar(bitPattern: $0) } + [0] } + [0]
    }

    private static func text(of number: Int32) -> String {
        unsafe String(cString: strerror(number))
    }
}
