internal import CHost

/// Descriptors over a connected unix socket, to a process that goes on with them.
public enum DescriptorPassing {
    /// What one message brings. Its descriptors are the caller's.
    public struct Message: Sendable, Equatable {
        /// The bytes they came with; none at the end of the stream.
        public var bytes: [UInt8]
        /// The descriptors, closed on exec.
        public var descriptors: [Int32]
    }

    /// Most descriptors in one message.
    public static var descriptorsMax: Int { 64 }

    /// Sends a message of at least one byte with descriptors; the sender keeps its own.
    public static func send(
        _ bytes: [UInt8],
        _ descriptors: [Int32],
        over socket: Int32
    ) throws(DatapathError) {
        precondition(descriptorsMax == Int(HOST_DESCRIPTORS))
        let status = unsafe host_send_descriptors(
            socket,
            bytes,
            bytes.count,
            descriptors,
            descriptors.count
        )
        guard status >= 0 else { throw .system("send descriptors", -status) }
    }

    /// Takes one message of at most `bytesMax` bytes and `descriptorsMax` descriptors. What has
    /// more is refused, and its descriptors are closed. On a stream, bytes sent in several calls
    /// may come in one.
    public static func receive(
        over socket: Int32,
        bytesMax: Int,
        descriptorsMax: Int
    ) throws(DatapathError) -> Message {
        precondition(bytesMax > 0 && (0...self.descriptorsMax).contains(descriptorsMax))
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        var descriptors = [Int32](repeating: -1, count: max(1, descriptorsMax))
        var count = descriptorsMax
        let status = unsafe host_receive_descriptors(
            socket,
            &bytes,
            bytesMax,
            &descriptors,
            &count
        )
        guard status >= 0 else { throw .system("receive descriptors", -status) }
        return Message(
            bytes: Array(bytes.prefix(Int(status))),
            descriptors: Array(descriptors.prefix(count))
        )
    }
}
