internal import Channels
internal import Store

/// Why a node did not start, and the exit code that says so.
public struct StartError: Error, CustomStringConvertible {
    /// Exit code: 1 failed, 2 wrong configuration, 3 the ledger does not answer.
    public var code: Int32
    /// One line.
    public var description: String

    static func failed(_ text: String) -> StartError { StartError(code: 1, description: text) }
    static func wrong(_ text: String) -> StartError { StartError(code: 2, description: text) }
    static func unreachable(_ text: String) -> StartError {
        StartError(code: 3, description: text)
    }
}

extension StartError {
    init(_ error: ChannelError) {
        switch error {
        case .chain: self = .unreachable(error.description)
        case .otherLedger: self = .wrong(error.description)
        case .refused, .store, .timeout, .slotsFull, .stopping, .signing:
            self = .failed(error.description)
        }
    }

    init(_ error: KeystoreError) {
        switch error {
        case .missing, .malformed, .wrongPassphrase: self = .wrong(error.description)
        case .exists, .outOfMemory, .system: self = .failed(error.description)
        }
    }
}
