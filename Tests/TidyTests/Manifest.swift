import Foundation
import Testing

/// What Package.swift says, by way of `swift package dump-package`.
struct Manifest: Sendable {
    struct Target: Sendable {
        let name: String
        let path: String
        let dependencies: Set<String>
        /// An executable: depended on to be built, not to be imported.
        var isProgram = false
    }

    let targets: [Target]

    /// The manifest of the checkout.
    static func load() throws -> Manifest { try shared.get() }

    private static let shared = Result { try dump() }

    private static func dump() throws -> Manifest {
        // `swift test` holds the usual scratch folder.
        let scratch = Repository.shared.root.appending(path: ".build/tidy").path
        // The whole graph, whatever this run leaves out.
        let command = [
            "DRAY_FUZZ=1", "DRAY_SANITIZE=0", "swift", "package", "--scratch-path", scratch,
        ]
        let dumped = try #require(
            run("env", command + ["dump-package"], in: Repository.shared.root)
        )
        // Warnings may precede the document.
        let start = try #require(dumped.output.firstIndex(of: "{"), "\(dumped.output)")
        return try Manifest(json: Data(dumped.output[start...].utf8))
    }

    init(json: Data) throws {
        let decoded = try JSONDecoder().decode(Package.self, from: json)
        targets = decoded.targets.map { target in
            let names = target.dependencies.compactMap { ($0.byName ?? $0.target)?.first ?? nil }
            return Target(
                name: target.name,
                path: target.path ?? "",
                dependencies: Set(names),
                isProgram: target.type == "executable"
            )
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
            let type: String?
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
