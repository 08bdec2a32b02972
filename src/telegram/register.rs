//! The commands that Telegram offers while somebody types, from the same list as everything else.

use commands::kit::Role;
use record::lang::Lang;
use teloxide::{
    ApiError, Bot, RequestError,
    payloads::{GetMyCommandsSetters, SetMyCommandsSetters},
    requests::Requester,
    types::{BotCommand, BotCommandScope, ChatId, Recipient},
};

/// The commands for somebody, in a language, as Telegram shows them.
fn list(lang: Lang, who: Role) -> Vec<BotCommand> {
    let usable = commands::ALL.iter().filter(|command| command.least() <= who);
    usable.map(|command| BotCommand::new(command.name, command.about.get(lang))).collect()
}

/// Registers the commands of every language where they differ from what is registered: a reader's for all, everything
/// for each owner in the chat with them. English is also what those see who speak neither. Tells how many lists were
/// changed.
pub async fn register(bot: &Bot, owners: &[u64]) -> Result<usize, RequestError> {
    let mut changed = 0;
    for (code, lang) in [("", Lang::En), ("it", Lang::It)] {
        changed += set(bot, BotCommandScope::Default, code, list(lang, Role::Reader)).await?;
        for owner in owners {
            let Ok(chat) = i64::try_from(*owner).map(ChatId) else { continue };
            let scope = BotCommandScope::Chat { chat_id: Recipient::Id(chat) };
            match set(bot, scope, code, list(lang, Role::Owner)).await {
                Ok(set) => changed += set,
                // An owner who never wrote to us: they are shown everything after the next start.
                Err(RequestError::Api(ApiError::ChatNotFound)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(changed)
}

async fn set(bot: &Bot, scope: BotCommandScope, code: &str, wanted: Vec<BotCommand>) -> Result<usize, RequestError> {
    if bot.get_my_commands().scope(scope.clone()).language_code(code).await? == wanted {
        return Ok(0);
    }
    bot.set_my_commands(wanted).scope(scope).language_code(code).await?;
    Ok(1)
}
