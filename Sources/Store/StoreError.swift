/// What went wrong with the data on disk; each case carries what an operator needs to act.
public enum StoreError: Error, Equatable, Sendable {
    /// Another process holds the folder.
    case folderInUse(folder: String, holder: String)
    /// The folder cannot be made or opened.
    case cannotOpen(path: String, reason: String)
    /// The disk is full; nothing was changed.
    case diskFull(folder: String)
    /// The folder was written by a newer version.
    case newerFormat(folder: String, found: UInt32, supported: UInt32)
    /// The folder belongs to something else, for example a ledger instead of a node.
    case wrongKind(folder: String, found: String, expected: String)
    /// A record's checksum does not match, or records are missing.
    case corrupt(table: String, key: String)
    /// The environment was closed or has failed before; only a restart helps.
    case stopped(folder: String)
    /// Anything else, with the operation and the system's message.
    case failed(operation: String, reason: String)
}

extension StoreError: CustomStringConvertible {
    /// One line for a log or a terminal.
    public var description: String {
        switch self {
        case .folderInUse(let folder, let holder):
            "folder in use: \(folder) is held by another process\(holder)"
        case .cannotOpen(let path, let reason): "cannot open \(path): \(reason)"
        case .diskFull(let folder): "disk full: cannot write to \(folder)"
        case .newerFormat(let folder, let found, let supported):
            "\(folder) has format \(found), this build reads up to \(supported)"
        case .wrongKind(let folder, let found, let expected):
            "\(folder) holds the data of a \(found), not of a \(expected)"
        case .corrupt(let table, let key): "corrupt record in table \(table), key \(key)"
        case .stopped(let folder): "\(folder) was closed after a failure"
        case .failed(let operation, let reason): "\(operation) failed: \(reason)"
        }
    }
}
