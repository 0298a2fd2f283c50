// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// Sets where files are kept that tasks get as arguments, and has workers of this program remove those of tasks that are done.
    ///
    /// Say it before a worker starts, and in every program of the app; a store may also be asked for as a dependency. See ``StoredFile``.
    public func use(files: any FileStore) {
        dependencies.register(files, as: (any FileStore).self)
        fileKeeper = FileKeeper(files)
    }

    /// Where files are kept.
    /// - Throws: ``AppError`` where none was set.
    public var files: any FileStore {
        get throws(AppError) {
            do throws(MissingDependency) {
                return try dependencies.get((any FileStore).self)
            } catch {
                throw AppError("\(name) keeps no files; say app.use(files: FolderStore(\"uploads\"))")
            }
        }
    }
}
