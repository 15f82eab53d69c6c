public import Crypto
internal import Glibc

/// Where a passphrase comes from.
public enum Passphrase {
    /// A passphrase that could not be had.
    public enum Problem: Error, CustomStringConvertible {
        /// Neither a file nor the environment has one.
        case missing
        /// The first line of the file, or the variable, is empty.
        case empty(String)
        /// The file cannot be read.
        case unreadable(SystemError)

        /// One line.
        public var description: String {
            switch self {
            case .missing: "no passphrase: name a file that holds it, or set DRAY_PASSPHRASE"
            case .empty(let place): "\(place): the passphrase is empty"
            case .unreadable(let error): error.description
            }
        }
    }

    /// The first line of the file if one is named, else the variable `DRAY_PASSPHRASE`.
    public static func find(file: String?) throws(Problem) -> SecretBytes {
        if let file {
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try Files.read(file, limit: 65_536)
            } catch {
                throw .unreadable(error)
            }
            let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
            guard !line.isEmpty else { throw .empty(file) }
            return SecretBytes(line)
        }
        guard let text = environment("DRAY_PASSPHRASE") else { throw .missing }
        return SecretBytes(Array(text.utf8))
    }

    /// True if somebody besides the owner may read the file.
    public static func isExposed(_ file: String) -> Bool {
        (Files.permissions(file) ?? 0) & 0o077 != 0
    }
}
