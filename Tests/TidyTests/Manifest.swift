import Foundation
import Testing

/// What Package.swift says, by way of `swift package dump-package`.
struct Manifest: Sendable {
    struct Target: Sendable {
        let name: String
        let path: String
        let dependencies: Set<String>
    }

    let targets: [Target]

    /// The manifest of the checkout. The scratch folder is its own: `swift test` holds the usual
    /// one.
    static func load() throws -> Manifest {
        let scratch = FileManager.default.temporaryDirectory.appending(
            path: "dray-tidy-\(ProcessInfo.processInfo.processIdentifier)"
        )
        defer { try? FileManager.default.removeItem(at: scratch) }
        let root = Repository.shared.root
        let dumped = try #require(
            // The fuzzer's driver is a target only when it is asked for.
            run(
                "env",
                [
                    "DRAY_FUZZ=1", "swift", "package", "--scratch-path", scratch.path,
                    "dump-package",
                ],
                in: root
            )
        )
        // Warnings may precede the document.
        let start = try #require(dumped.output.firstIndex(of: "{"), "\(dumped.output)")
        return try Manifest(json: Data(dumped.output[start...].utf8))
    }

    init(json: Data) throws {
        let decoded = try JSONDecoder().decode(Package.self, from: json)
        targets = decoded.targets.map { target in
            let names = target.dependencies.compactMap { ($0.byName ?? $0.target)?.first ?? nil }
            return Target(name: target.name, path: target.path ?? "", dependencies: Set(names))
        }
    }

    init(targets: [Target]) { self.targets = targets }

    /// The target whose folder holds the file.
    func target(of path: String) -> Target? {
        targets.first { !$0.path.isEmpty && path.hasPrefix($0.path + "/") }
    }

    private struct Package: Decodable {
        struct Target: Decodable {
            let name: String
            let path: String?
            let dependencies: [Dependency]
        }
        struct Dependency: Decodable {
            let byName: [String?]?
            let target: [String?]?

            enum CodingKeys: CodingKey { case byName, target }

            init(from decoder: any Decoder) throws {
                // The second element is a condition, null or an object: only the name matters.
                let container = try decoder.container(keyedBy: CodingKeys.self)
                func name(_ key: CodingKeys) throws -> [String?]? {
                    guard container.contains(key) else { return nil }
                    var list = try container.nestedUnkeyedContainer(forKey: key)
                    return [try list.decode(String.self)]
                }
                byName = try name(.byName)
                target = try name(.target)
            }
        }
        let targets: [Target]
    }
}
