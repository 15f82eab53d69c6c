import Bytes
import Foundation
public import JSON

/// The vector files of `Tests/Vectors`.
public enum Vectors {
    /// Where the files are.
    public static var folder: URL {
        URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("Vectors")
    }

    /// Reads one file, for example `hopr/primitives-head.json`.
    public static func load(_ path: String) throws -> JSON {
        try JSON.parse(bytes(path))
    }

    /// The bytes of one file.
    public static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
    }

    /// Files in `hopr` whose name begins with `prefix`, in order; paths to hand to `load`.
    public static func names(prefix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/hopr")
            .filter { $0.hasPrefix(prefix) && $0.hasSuffix(".json") }
            .sorted()
            .map { "hopr/" + $0 }
    }
}

extension JSON {
    /// The hex text of a member as bytes. Stops the test run if there is none: a vector file is
    /// wrong.
    public func hex(_ name: String) -> [UInt8] {
        guard let text = self[name]?.text, let bytes = Hex.decode(text) else {
            fatalError("vector has no hex member \(name)")
        }
        return bytes
    }

    /// The elements of a member that is an array.
    public func list(_ name: String) -> [JSON] {
        guard let elements = self[name]?.elements else {
            fatalError("vector has no array \(name)")
        }
        return elements
    }
}
