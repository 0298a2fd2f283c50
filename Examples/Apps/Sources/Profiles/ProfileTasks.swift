// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Logging

/// What is done without anybody waiting for it.
struct ProfileTasks: TaskSet {
    /// Brings a photo to the storage service, and shows it from then on.
    let store: TaskHandle<Void, Int64, StoredFile>
    /// Mails the admin what somebody has written.
    let mail: TaskHandle<Void, String, String>

    init(_ app: Chard) {
        let again = TaskOptions(retry: .exponential(maxRetries: 5), ignoresResult: true)
        store = app.task("profiles.store", options: again) {
            (context: TaskContext, profile: Int64, photo: StoredFile) in
            let bytes = try await context.contents(of: photo)
            let key = try await context.dependencies.get(SlowStorage.self).put(bytes)
            try await context.dependencies.get(Store.self).show(key, type: photo.mediaType, of: profile)
            context.logger.info("the photo of profile \(profile) is stored")
        }
        mail = app.task("profiles.mail", options: again) { (context: TaskContext, sender: String, text: String) in
            try await context.dependencies.get(Mail.self).send(from: sender, text, id: context.id)
        }
    }
}
