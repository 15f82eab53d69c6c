import Foundation

/// A folder that is gone when the object is.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init(_ name: String = "dray") {
        path = NSTemporaryDirectory() + "/\(name)-\(UUID().uuidString.prefix(13))"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// An executable of this package, beside the tests that run.
package func helperExecutable(_ name: String) -> URL {
    var folder = Bundle.main.bundleURL
    for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
        folder = bundle.bundleURL.deletingLastPathComponent()
    }
    let beside = folder.appendingPathComponent(name)
    if FileManager.default.isExecutableFile(atPath: beside.path) { return beside }
    let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return program.appendingPathComponent(name)
}
