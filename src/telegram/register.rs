//! The commands that Telegram offers while somebody types, from the same list as everything else.

use commands::kit::Role;
use record::lang::Lang;
use teloxide::{
    ApiError, Bot, RequestError,
    payloads::{DeleteMyCommandsSetters, GetMyCommandsSetters, SetMyCommandsSetters},
    requests::Requester,
    types::{BotCommand, BotCommandScope, ChatId, Recipient},
};

/// The languages in which an earlier bot may have left a menu. Telegram does not tell which there are, and each costs a
/// request a scope: English, and those that most people use Telegram in.
const OTHERS: [&str; 14] = ["en", "de", "fr", "es", "pt", "ru", "uk", "pl", "nl", "tr", "ar", "fa", "id", "uz"];

/// The commands for somebody, in a language, as Telegram shows them.
fn list(lang: Lang, who: Role) -> Vec<BotCommand> {
    let usable = commands::ALL.iter().filter(|command| command.least() <= who);
    usable.map(|command| BotCommand::new(command.name, command.about.get(lang))).collect()
}

/// Registers the commands of every language where they differ from what is registered: a reader's for all, everything
/// for each owner in the chat with them. English is also what those see who speak neither. Menus of an earlier bot with
/// this token are removed where Telegram would show them before ours. Tells how many lists were changed; one that fails
/// keeps no other from being set, and the first failure is what is returned then.
pub async fn register(bot: &Bot, owners: &[u64]) -> Result<usize, RequestError> {
    let mut changed = 0;
    let mut failed = None;
    let mut count = |done: Result<usize, RequestError>| match done {
        Ok(done) => changed += done,
        Err(error) => failed = failed.take().or(Some(error)),
    };
    let mut known = Vec::new();
    for (code, lang) in [("", Lang::En), ("it", Lang::It)] {
        count(set(bot, BotCommandScope::Default, code, list(lang, Role::Reader)).await);
        for owner in owners {
            let Ok(chat) = i64::try_from(*owner).map(ChatId) else { continue };
            let scope = BotCommandScope::Chat { chat_id: Recipient::Id(chat) };
            count(match set(bot, scope.clone(), code, list(lang, Role::Owner)).await {
                // An owner who never wrote to us: they are shown everything after the next start.
                Err(RequestError::Api(ApiError::ChatNotFound)) => Ok(0),
                done => {
                    known.extend((!known.contains(&scope)).then_some(scope));
                    done
                }
            });
        }
    }
    let narrower =
        [BotCommandScope::AllPrivateChats, BotCommandScope::AllGroupChats, BotCommandScope::AllChatAdministrators];
    for scope in &narrower {
        for code in ["", "it"] {
            count(remove(bot, scope.clone(), code).await);
        }
    }
    for scope in [BotCommandScope::Default].into_iter().chain(narrower).chain(known) {
        for code in OTHERS {
            count(remove(bot, scope.clone(), code).await);
        }
    }
    failed.map_or(Ok(changed), Err)
}

async fn set(bot: &Bot, scope: BotCommandScope, code: &str, wanted: Vec<BotCommand>) -> Result<usize, RequestError> {
    if bot.get_my_commands().scope(scope.clone()).language_code(code).await? == wanted {
        return Ok(0);
    }
    bot.set_my_commands(wanted).scope(scope).language_code(code).await?;
    Ok(1)
}

/// Removes a list if there is one.
async fn remove(bot: &Bot, scope: BotCommandScope, code: &str) -> Result<usize, RequestError> {
    if bot.get_my_commands().scope(scope.clone()).language_code(code).await?.is_empty() {
        return Ok(0);
    }
    bot.delete_my_commands().scope(scope).language_code(code).await?;
    Ok(1)
}
