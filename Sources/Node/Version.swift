internal import CProcess
internal import Crypto
public import JSON

/// What this build is.
public enum Version {
    /// The release.
    public static let number = "0.1.0"

    /// The commit it was built from, `+` behind it if files were changed.
    public static var commit: String {
        // A constant of the program.
        unsafe String(cString: process_commit())
    }

    /// One line.
    public static var text: String {
        "dray \(number), commit \(commit), kernels \(Kernels.table)"
    }

    /// The same for machines.
    public static var document: JSON {
        [
            "version": .string(number), "commit": .string(commit),
            "table": .string(Kernels.table),
        ]
    }
}
